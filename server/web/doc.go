// Package web serves the keys of a store over HTTP/1.1, on a port of its own.
//
//	GET    /v1/keys/{key}   the value; 404 when there is none
//	HEAD   /v1/keys/{key}   the same without the value
//	PUT    /v1/keys/{key}   the body becomes the value: 201 when the key is new, 204 when it was replaced
//	DELETE /v1/keys/{key}   204, or 404 when there was none
//
// A key is the rest of the path, up to a question mark, percent-decoded once: any bytes, at least one. Errors are JSON,
// {"error": "…"}.
//
// A PUT may give a time to live in whole seconds, as X-TTL or as Cache-Control: max-age; X-TTL comes first where both are given.
// Without one the value stays until it is replaced, as with SET. GET and HEAD tell what is left of it as X-TTL, Cache-Control
// and Expires; the store keeps no time of birth, so Age is 0 and max-age counts from the response.
//
// The ETag is strong: a 128-bit hash of the value. If-Match and If-None-Match are evaluated for all four methods. On PUT and
// DELETE the evaluation and the change are one atomic step with regard to every client of every protocol: the key is watched, as by
// WATCH, and when anybody touches it in between, all is evaluated anew. After [tries] of those the answer is 409 and nothing is changed.
// The value of a GET and its time to live are read by two commands, one right behind the other: of a value that is
// replaced in that very moment the time may be its successor's.
//
// With a password set, requests need it as Authorization: Bearer, or Basic for the user default.
//
// What a client can make the server hold is bounded: a value over the limit is refused by its announced length (413),
// before it is read; a header by the size of its buffer (431); connections by their number (503), and by the time that they may take.
//
// The package knows no topology: it executes Redis commands through a [Caller].
package web
