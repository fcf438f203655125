package web

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"
)

const keysPath = "/v1/keys/"

// keyOf takes the key out of a request target and appends it to dst. found is false when the target is something else, ok when
// an escape in the key is malformed. The target is read as it was sent: what a URI library makes of a path (it merges
// slashes, resolves dots) would change keys.
func keyOf(dst, target []byte) (key []byte, found, ok bool) {
	if i := bytes.Index(target, []byte("://")); i > 0 && bytes.IndexByte(target[:i], '/') < 0 { // absolute-form, as for a proxy
		target = target[i+3:]
		target = target[max(0, bytes.IndexByte(target, '/')):]
	}
	path, _, _ := bytes.Cut(target, []byte{'?'})
	raw, found := bytes.CutPrefix(path, []byte(keysPath))
	if !found {
		return dst, false, true
	}
	for len(raw) > 0 {
		i := bytes.IndexByte(raw, '%')
		if i < 0 {
			return append(dst, raw...), true, true
		}
		dst = append(dst, raw[:i]...)
		if raw = raw[i+1:]; len(raw) < 2 {
			return dst, true, false
		}
		hi, lo := fromHex(raw[0]), fromHex(raw[1])
		if hi|lo > 15 {
			return dst, true, false
		}
		dst, raw = append(dst, hi<<4|lo), raw[2:]
	}
	return dst, true, true
}

func fromHex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

// maxTTL keeps a deadline in milliseconds, some 100 million years away, clear of overflow.
const maxTTL = math.MaxInt64 / 4 / 1000

// ttlOf returns the seconds to live that a request asks for, 0 for none. wrong says what does not make sense.
func ttlOf(xTTL, cacheControl string) (seconds int64, wrong string) {
	if xTTL != "" {
		n, ok := positive(xTTL)
		if !ok {
			return 0, "X-TTL " + clip(xTTL) + ": want a whole number of seconds from 1"
		}
		return n, ""
	}
	for directive := range strings.SplitSeq(cacheControl, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if !strings.EqualFold(name, "max-age") {
			continue
		}
		n, ok := positive(strings.Trim(value, `"`))
		if !ok {
			return 0, "Cache-Control max-age " + clip(value) + ": want a whole number of seconds from 1"
		}
		return n, ""
	}
	return 0, ""
}

func positive(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && s[0] != '+' && n >= 1 && n <= maxTTL
}

func clip(s string) string { return strconv.Quote(s[:min(len(s), 40)]) }

// etagOf returns the strong entity tag of a value, in quotes.
func etagOf(value []byte) string {
	sum := xxh3.Hash128(value).Bytes()
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// matches reports whether an If-Match or If-None-Match field names the tag of a value that is there. weak is the comparison of
// If-None-Match, which ignores W/; a strong one refuses it.
func matches(field, etag string, weak bool) bool {
	if strings.TrimSpace(field) == "*" {
		return true
	}
	for len(field) > 0 {
		field = strings.TrimLeft(field, ", \t")
		isWeak := strings.HasPrefix(field, "W/")
		tag := strings.TrimPrefix(field, "W/")
		if tag == "" || tag[0] != '"' {
			return false // not a list of tags
		}
		end := strings.IndexByte(tag[1:], '"')
		if end < 0 {
			return false
		}
		if tag[:end+2] == etag && (weak || !isWeak) {
			return true
		}
		field = tag[end+2:]
	}
	return false
}

// conditions are the preconditions of a request; "" where there is none.
type conditions struct{ match, noneMatch string }

func (c conditions) any() bool { return c.match != "" || c.noneMatch != "" }

// hold reports whether they hold for the value with the given tag, "" where there is no value.
func (c conditions) hold(etag string) (match, noneMatch bool) {
	there := etag != ""
	return c.match == "" || there && matches(c.match, etag, false),
		c.noneMatch == "" || !there || !matches(c.noneMatch, etag, true)
}

// authorized reports whether an Authorization field shows the password: as Bearer, or as Basic of the user default.
func authorized(field, password string) bool {
	scheme, credentials, _ := strings.Cut(field, " ")
	credentials = strings.TrimSpace(credentials)
	switch {
	case strings.EqualFold(scheme, "bearer"):
	case strings.EqualFold(scheme, "basic"):
		text, err := base64.StdEncoding.DecodeString(credentials)
		user, shown, ok := strings.Cut(string(text), ":")
		if err != nil || !ok || user != "default" && user != "" {
			return false
		}
		credentials = shown
	default:
		return false
	}
	return subtle.ConstantTimeCompare([]byte(credentials), []byte(password)) == 1
}
