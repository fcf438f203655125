package command

// match reports whether the whole of s is what a glob-style pattern means: * any bytes, ? one byte, [abc] [a-c] [^a] one of a
// class, \x the byte x. What is odd is read as Redis reads it: a class need not be closed, an escape may end the pattern, a
// range may be written backwards.
//
// It goes back to the last * alone when something does not fit, because whatever an earlier * could still take, the last one can
// take too: the time is at most the product of the lengths, where the plain recursion's is exponential.
func match(pattern, s []byte, nocase bool) bool {
	if len(s) == 0 {
		return len(pattern) == 0 // not even * means nothing
	}
	p, i := 0, 0
	star, from := -1, 0 // where to go on behind the last *, and what it had taken up to then
	for {
		if p < len(pattern) && pattern[p] == '*' {
			for p < len(pattern) && pattern[p] == '*' {
				p++
			}
			star, from = p, i
			continue
		}
		switch {
		case p == len(pattern) && i == len(s):
			return true
		case p < len(pattern) && i < len(s):
			if n, ok := matchOne(pattern[p:], s[i], nocase); ok {
				p += n
				i++
				continue
			}
		}
		if star < 0 || from >= len(s) {
			return false
		}
		from++
		p, i = star, from
	}
}

// matchOne reports whether c is what the first element of a pattern means, and how long the element is.
func matchOne(pattern []byte, c byte, nocase bool) (length int, ok bool) {
	switch pattern[0] {
	case '?':
		return 1, true
	case '[':
		return matchClass(pattern, c, nocase)
	case '\\':
		if len(pattern) > 1 {
			return 2, same(pattern[1], c, nocase)
		}
	}
	return 1, same(pattern[0], c, nocase)
}

// matchClass is matchOne for a class.
func matchClass(pattern []byte, c byte, nocase bool) (length int, ok bool) {
	p := 1
	negated := p < len(pattern) && pattern[p] == '^'
	if negated {
		p++
	}
	found := false
	for p < len(pattern) && pattern[p] != ']' {
		switch {
		case pattern[p] == '\\' && p+1 < len(pattern):
			found = found || pattern[p+1] == c // case counts here, as in Redis
			p += 2
		case p+2 < len(pattern) && pattern[p+1] == '-':
			found = found || within(pattern[p], pattern[p+2], c, nocase)
			p += 3
		default:
			found = found || same(pattern[p], c, nocase)
			p++
		}
	}
	if p < len(pattern) {
		p++ // the bracket
	}
	return p, found != negated
}

// within compares as numbers with a sign, which is what C's char is on amd64.
func within(from, to, c byte, nocase bool) bool {
	lo, hi := min(int8(from), int8(to)), max(int8(from), int8(to))
	if nocase {
		lo, hi, c = int8(lower(byte(lo))), int8(lower(byte(hi))), lower(c)
	}
	return int8(c) >= lo && int8(c) <= hi
}

func same(a, b byte, nocase bool) bool {
	return a == b || nocase && lower(a) == lower(b)
}

func lower(c byte) byte {
	if c-'A' < 26 {
		c |= 0x20
	}
	return c
}
