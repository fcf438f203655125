package scenarios

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// unknown says that there is no such word, which one was probably meant, and which there are.
func unknown(what, word string, have []string) string {
	s := fmt.Sprintf("unknown %s %s; ", what, quote(word))
	if near := nearest(word, have); near != "" {
		s += fmt.Sprintf("did you mean %q? ", near)
	}
	return s + "have " + strings.Join(have, ", ")
}

// nearest is the word of have that is at most a third of its letters, and at most two, away from word.
func nearest(word string, have []string) string {
	best, least := "", 3
	for _, h := range have {
		if d := distance(word, h); d < least && 3*d <= len(h) {
			best, least = h, d
		}
	}
	return best
}

// distance is the number of single-byte insertions, deletions, replacements and swaps of neighbours between a and b
// (optimal string alignment); words of very different lengths are not worth the table.
func distance(a, b string) int {
	if d := len(a) - len(b); d > 2 || d < -2 {
		return 3
	}
	table := make([][]int, len(a)+1) // table[i][j]: between a[:i] and b[:j]
	for i := range table {
		table[i] = make([]int, len(b)+1)
		table[i][0] = i
	}
	for j := range table[0] {
		table[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(table[i-1][j]+1, table[i][j-1]+1, table[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, table[i-2][j-2]+1)
			}
			table[i][j] = d
		}
	}
	return table[len(a)][len(b)]
}

// quote is text in quotes, on one line and short enough for an error.
func quote(text string) string {
	const most = 60
	if utf8.RuneCountInString(text) <= most {
		return strconv.Quote(text)
	}
	return strconv.Quote(string([]rune(text)[:most])) + "…"
}
