package scenarios

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// fault is a rule broken. To blame is the first of keys that is written. If none is, the place is that of near, or of
// the section.
type fault struct {
	keys []string
	near string
	text string
}

func faultf(key, format string, args ...any) *fault {
	return &fault{keys: []string{key}, text: fmt.Sprintf(format, args...)}
}

func (f *fault) Error() string { return f.keys[0] + ": " + f.text }

// first is the first fault there is.
func first(fs ...*fault) *fault {
	for _, f := range fs {
		if f != nil {
			return f
		}
	}
	return nil
}

func within(key string, n int) *fault {
	if l := limits[key]; !l.holds(int64(n)) {
		return faultf(key, "%d is out of range: %s", n, l)
	}
	return nil
}

func withinTime(key string, d time.Duration) *fault {
	if l := limits[key]; !l.holds(int64(d)) {
		return faultf(key, "%s is out of range: %s", d, l)
	}
	return nil
}

func oneOf(key, what, word string, have []string) *fault {
	if !slices.Contains(have, word) {
		return faultf(key, "%s", unknown(what, word, have))
	}
	return nil
}

// wordForm is what names must look like: they become parts of file names and labels.
var wordForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

func goodWord(key, word string) *fault {
	if wordForm.MatchString(word) {
		return nil
	}
	return faultf(key, "%s is not a name; use up to 64 lower-case letters, digits, '.', '_', '-', "+
		"a letter or digit first",
		quote(word))
}

// oneLine keeps out what would break lists and terminals.
func oneLine(key, text string) *fault {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return faultf(key, "%s has a line break or a control character; write one line", quote(text))
	}
	return nil
}
