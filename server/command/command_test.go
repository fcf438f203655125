package command

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestLookup(t *testing.T) {
	for _, s := range All() {
		for _, name := range []string{s.Name, strings.ToUpper(s.Name), strings.ToUpper(s.Name[:1]) + s.Name[1:]} {
			if got := Lookup([]byte(name)); got != s {
				t.Errorf("%q: found %v", name, got)
			}
		}
	}
	for _, name := range []string{"", "ge", "gets", "\x00get", "get\x00", "g\xe5t", "`et", strings.Repeat("x", 9), strings.Repeat("x", 99)} {
		if got := Lookup([]byte(name)); got != nil {
			t.Errorf("%q: found %s", name, got.Name)
		}
	}
	name := []byte("SET")
	if n := testing.AllocsPerRun(100, func() { Lookup(name) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Every command says what it needs to say, and has exactly one way to run.
func TestTable(t *testing.T) {
	for i, s := range All() {
		if i > 0 && All()[i-1].Name >= s.Name {
			t.Errorf("%s is out of order, or there twice", s.Name)
		}
		mustBeWhole(t, s)
		for _, sub := range s.Subs {
			mustBeWhole(t, sub)
			container, name, _ := strings.Cut(sub.Name, "|")
			if container != s.Name || sub.Subs != nil {
				t.Errorf("%s in %s", sub.Name, s.Name)
			}
			if got := Find([][]byte{[]byte(container), []byte(strings.ToUpper(name))}); got != sub {
				t.Errorf("%s: found %v", sub.Name, got)
			}
		}
	}
}

func mustBeWhole(t *testing.T, s *Spec) {
	t.Helper()
	ways := 0
	for _, set := range []bool{s.Subs != nil || s.Local != nil || s.Refusal != "", s.One != nil, s.Part != nil, s.Many != nil} {
		if set {
			ways++
		}
	}
	if ways != 1 || s.ByShard != nil && s.One == nil {
		t.Errorf("%s has %d ways to run", s.Name, ways)
	}
	keyed := (s.One != nil && s.ByShard == nil) || ((s.Part != nil || s.Many != nil && s.Touches == nil) && !s.AllShards)
	if keyed && (s.First == 0 || s.Step == 0 || s.Last == 0) || s.AllShards && s.First != 0 {
		t.Errorf("%s: keys first %d, last %d, step %d", s.Name, s.First, s.Last, s.Step)
	}
	if s.Arity == 0 || s.Group == "" || s.Summary == "" {
		t.Errorf("%s: arity %d, group %q, summary %q", s.Name, s.Arity, s.Group, s.Summary)
	}
}

func TestParseInt(t *testing.T) {
	check := func(text string, want int64, ok bool) {
		t.Helper()
		if n, got := parseInt([]byte(text)); got != ok || n != want {
			t.Errorf("%q: %d, %v; want %d, %v", text, n, got, want, ok)
		}
	}
	for _, n := range []int64{0, 1, -1, 9, 10, math.MaxInt64, math.MinInt64} {
		check(strconv.FormatInt(n, 10), n, true)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 10000 {
		n := int64(rng.Uint64()) >> rng.IntN(64)
		check(strconv.FormatInt(n, 10), n, true)
	}
	for _, text := range []string{"", "-", "+1", " 1", "1 ", "01", "-0", "-01", "1.0", "1e3", "0x1", "9223372036854775808",
		"-9223372036854775809", "99999999999999999999", "999999999999999999999"} {
		check(text, 0, false)
	}
}
