package command

import "testing"

func TestMatch(t *testing.T) {
	check := func(pattern, s string, want bool) {
		t.Helper()
		if got := match([]byte(pattern), []byte(s), false); got != want {
			t.Errorf("%q on %q: %v", pattern, s, got)
		}
	}
	for _, p := range []string{"abc", "a*", "*c", "*", "a*c", "?b?", "[a-c]bc", "[c-a]bc", "[^x]bc", "a\\bc", "**abc**", "[abc", "*b*"} {
		check(p, "abc", p != "[abc")
	}
	check("[abc", "a", true) // a class need not be closed
	check("[", "[", false)
	check("[^", "a", true)
	check("a\\", "a\\", true) // nor an escape have something behind it
	check("\\*", "*", true)
	check("\\*", "a", false)
	check("[\\]]", "]", true)
	check("[a\\-c]", "-", true)
	check("[a\\-c]", "b", false)
	check("[]a]", "a", false) // the first bracket closes
	check("a?", "a", false)
	check("*a*b*c", "xxaxxbxxc", true)
	check("*a*b*c", "xxaxxbxx", false)
	check("", "", true)
	check("*", "", false)
	check("", "a", false)
	check("[\x80-\x7f]", "\x00", true) // bytes are compared as C's char
	check("h?llo", "h\x00llo", true)
	if !match([]byte("MaX*"), []byte("maxmemory"), true) || match([]byte("MaX*"), []byte("maxmemory"), false) {
		t.Error("case")
	}
}

// What would take the plain recursion longer than the universe lasts.
func TestMatchIsQuick(t *testing.T) {
	var pattern []byte
	for range 30 {
		pattern = append(pattern, "*a"...)
	}
	s := make([]byte, 4000)
	for i := range s {
		s[i] = 'a'
	}
	if !match(pattern, s, false) || match(append(pattern, 'b'), s, false) {
		t.Error("wrong")
	}
}
