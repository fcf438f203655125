package web

import (
	"net/url"
	"strings"
	"testing"
)

func TestKeyOf(t *testing.T) {
	check := func(target, want string) {
		t.Helper()
		if key, found, ok := keyOf(nil, []byte(target)); !found || !ok || string(key) != want {
			t.Errorf("%q: got %q, %v, %v; want %q", target, key, found, ok, want)
		}
	}
	check("/v1/keys/a", "a")
	check("/v1/keys/", "")
	check("/v1/keys/a/b//c/../d", "a/b//c/../d")
	check("/v1/keys/a?b=c", "a")
	check("/v1/keys/a%3Fb%2fc%00%FF%ff%25", "a?b/c\x00\xff\xff%")
	check("/v1/keys/%2541", "%41") // decoded once
	check("/v1/keys/a+b", "a+b")
	check("/v1/keys/http://x/y", "http://x/y")
	check("http://host:80/v1/keys/a", "a")
	check("HTTPS://host/v1/keys/%41", "A")
	for _, target := range []string{"", "/", "*", "/v1/keys", "/v1/key/a", "/V1/keys/a", "//v1/keys/a", "/./v1/keys/a", "v1/keys/a",
		"http://host", "http://v1/keys", "://"} {
		if _, found, _ := keyOf(nil, []byte(target)); found {
			t.Errorf("%q was taken for a key's", target)
		}
	}
	for _, target := range []string{"/v1/keys/%", "/v1/keys/%4", "/v1/keys/%4g", "/v1/keys/a%zz", "/v1/keys/%-1", "/v1/keys/%%41"} {
		if _, found, ok := keyOf(nil, []byte(target)); !found || ok {
			t.Errorf("%q: malformed escape was not refused", target)
		}
	}
}

// Any bytes, escaped by a library that is not ours, come back as they were.
func FuzzKeyOf(f *testing.F) {
	for _, key := range []string{"a", "a/b", "?", "%", "\x00\xff", "..", "http://x", "+ "} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		keyOf(nil, []byte(key)) // whatever it is, no panic
		keyOf(nil, []byte(keysPath+key))
		got, found, ok := keyOf([]byte("before"), []byte(keysPath+url.PathEscape(key)+"?query"))
		if !found || !ok || string(got) != "before"+key {
			t.Errorf("%q: got %q, %v, %v", key, got, found, ok)
		}
	})
}

func TestTTLOf(t *testing.T) {
	check := func(xTTL, cacheControl string, want int64, wrong bool) {
		t.Helper()
		if got, text := ttlOf(xTTL, cacheControl); got != want || (text != "") != wrong {
			t.Errorf("X-TTL %q, Cache-Control %q: got %d, %q", xTTL, cacheControl, got, text)
		}
	}
	check("", "", 0, false)
	check("", "no-cache", 0, false)
	check("", "max-age=60", 60, false)
	check("", "public, Max-Age=\"60\" , immutable", 60, false)
	check("", "s-maxage=7, x-max-age=8", 0, false)
	check("5", "max-age=60", 5, false)
	for _, bad := range []string{"0", "-1", "1.5", "x", "+1", " 1", "99999999999999999999", "2305843009213693952", strings.Repeat("9", 500)} {
		check(bad, "", 0, true)
		if bad != " 1" {
			check("", "max-age="+bad, 0, true)
		}
	}
	check("", "max-age", 0, true)
	check("", "max-age=", 0, true)
}

func TestMatches(t *testing.T) {
	check := func(field, etag string, strong, weak bool) {
		t.Helper()
		if got := matches(field, etag, false); got != strong {
			t.Errorf("%q ~ %s, strong: %v", field, etag, got)
		}
		if got := matches(field, etag, true); got != weak {
			t.Errorf("%q ~ %s, weak: %v", field, etag, got)
		}
	}
	check(`*`, `"a"`, true, true)
	check(`"a"`, `"a"`, true, true)
	check(`"b"`, `"a"`, false, false)
	check(`"b", "a"`, `"a"`, true, true)
	check(`"b,"a"`, `"a"`, false, false)
	check(`W/"a"`, `"a"`, false, true)
	check(`W/"b",,W/"a"`, `"a"`, false, true)
	check(`"b, c" , "a"`, `"a"`, true, true)
	check(`a`, `"a"`, false, false)
	check(`"a`, `"a"`, false, false)
	check(`W/`, `"a"`, false, false)
	check(``, `"a"`, false, false)
}

func TestConditions(t *testing.T) {
	check := func(c conditions, etag string, match, noneMatch bool) {
		t.Helper()
		if m, n := c.hold(etag); m != match || n != noneMatch {
			t.Errorf("%+v on %q: %v, %v", c, etag, m, n)
		}
	}
	check(conditions{}, "", true, true)
	check(conditions{match: "*"}, "", false, true)
	check(conditions{match: "*"}, `"a"`, true, true)
	check(conditions{match: `"b"`}, `"a"`, false, true)
	check(conditions{noneMatch: "*"}, "", true, true)
	check(conditions{noneMatch: "*"}, `"a"`, true, false)
	check(conditions{noneMatch: `"b"`}, `"a"`, true, true)
}

func TestAuthorized(t *testing.T) {
	check := func(field string, want bool) {
		t.Helper()
		if authorized(field, "pass word") != want {
			t.Errorf("%q: %v", field, !want)
		}
	}
	check("Bearer pass word", true)
	check("bearer   pass word", true)
	check("Basic ZGVmYXVsdDpwYXNzIHdvcmQ=", true) // default:pass word
	check("Basic OnBhc3Mgd29yZA==", true)         // :pass word
	check("Basic cm9vdDpwYXNzIHdvcmQ=", false)    // root:pass word
	check("Basic !", false)
	check("Bearer pass wor", false)
	check("pass word", false)
	check("", false)
}
