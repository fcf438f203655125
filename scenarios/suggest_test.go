package scenarios

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	have := []string{"keys", "key_size", "mix", "connections", "pipeline", "load"}
	for word, want := range map[string]string{
		"key": "keys", "keyz": "keys", "kyes": "keys", "keysize": "key_size", "conections": "connections",
		"pipelien": "pipeline", "laod": "load", "mxi": "mix", "xyz": "", "": "", "connection_count": "", "m": "",
	} {
		if got := nearest(word, have); got != want {
			t.Errorf("nearest to %q is %q, want %q", word, got, want)
		}
	}
}

func TestQuoteIsShortAndOneLine(t *testing.T) {
	if got := quote("a\nb"); got != `"a\nb"` {
		t.Errorf("got %s", got)
	}
	if got := quote(strings.Repeat("é", 1000)); len([]rune(got)) != 63 || !strings.HasSuffix(got, `é"…`) {
		t.Errorf("got %s", got)
	}
}
