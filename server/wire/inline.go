package wire

// splitWords cuts a line into words by the rules of Redis's inline commands: blanks separate; "double quotes" know \n \r
// \t \b \a \xHH and backslash-anything; 'single quotes' know only \'; a closing quote must be followed by a blank or the end.
// Words without quotes alias the line; quoted ones are new. ok is false for unbalanced quotes.
func splitWords(line []byte) (words [][]byte, ok bool) {
	for i := 0; ; {
		for i < len(line) && isBlank(line[i]) {
			i++
		}
		if i == len(line) {
			return words, true
		}
		word, next, ok := nextWord(line, i)
		if !ok {
			return nil, false
		}
		words = append(words, word)
		i = next
	}
}

// nextWord reads the word that starts at line[i]. Quotes may open in the middle of a word, as in Redis.
func nextWord(line []byte, i int) (word []byte, next int, ok bool) {
	start, plain := i, true
	for i < len(line) && !isBlank(line[i]) {
		c := line[i]
		if c != '"' && c != '\'' {
			if !plain {
				word = append(word, c)
			}
			i++
			continue
		}
		if plain {
			word, plain = append([]byte{}, line[start:i]...), false
		}
		if word, i, ok = quoted(word, line, i+1, c); !ok {
			return nil, 0, false
		}
		if i < len(line) && !isBlank(line[i]) {
			return nil, 0, false
		}
	}
	if plain {
		word = line[start:i]
	}
	return word, i, true
}

// quoted appends to dst what stands between the quote before line[i] and its partner, and returns the place after that.
func quoted(dst, line []byte, i int, quote byte) ([]byte, int, bool) {
	for i < len(line) {
		c := line[i]
		i++
		if c == quote {
			return dst, i, true
		}
		if c != '\\' || i == len(line) || (quote == '\'' && line[i] != '\'') {
			dst = append(dst, c)
			continue
		}
		if quote == '"' && line[i] == 'x' && i+2 < len(line) {
			hi, ok1 := unhex(line[i+1])
			lo, ok2 := unhex(line[i+2])
			if ok1 && ok2 {
				dst = append(dst, hi<<4|lo)
				i += 3
				continue
			}
		}
		dst = append(dst, unescape(line[i], quote))
		i++
	}
	return nil, 0, false
}

func unescape(c, quote byte) byte {
	if quote == '"' {
		switch c {
		case 'n':
			return '\n'
		case 'r':
			return '\r'
		case 't':
			return '\t'
		case 'b':
			return '\b'
		case 'a':
			return '\a'
		}
	}
	return c
}

func unhex(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

func isBlank(c byte) bool { return c == ' ' || (c >= '\t' && c <= '\r') || c == 0 }
