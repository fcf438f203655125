package command

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/shardlab/shardlab/store"
)

var config = &Spec{Name: "config", Arity: -2, Group: "server", Summary: "Looks at settings and changes them.", Subs: []*Spec{
	{Name: "config|get", Usage: "<pattern> [<pattern> ...]", Arity: -3, Local: configGet,
		Group: "server", Summary: "The settings whose names match."},
	{Name: "config|set", Usage: "<name> <value> [<name> <value> ...]", Arity: -4, Local: configSet,
		Group: "server", Summary: "Changes settings, all of them or none."},
	{Name: "config|resetstat", Arity: 2, AllShards: true, Part: infoPart, End: configResetStat,
		Group: "server", Summary: "Starts INFO's counters at 0."},
	{Name: "config|rewrite", Arity: 2, Local: func(x *Exec, _ [][]byte) { x.Error("ERR The server is running without a config file") },
		Group: "server", Summary: "Is refused: a server's configuration file is not its own to write."},
	helpSpec("config"),
}}

// Param is a setting as CONFIG sees it.
type Param struct {
	Name string
	Get  func() string
	// Parse reads a value and returns what makes it so, or what is wrong with it. Nil: the setting cannot be changed.
	Parse func(value string) (apply func(), wrong string)
}

// FixedParam cannot be changed.
func FixedParam(name, value string) Param {
	return Param{Name: name, Get: func() string { return value }}
}

// LackingParam says that the server lacks something: a value that asks for it is refused, the one it has is not.
func LackingParam(name, value string) Param {
	p := FixedParam(name, value)
	p.Parse = func(to string) (func(), string) {
		if !strings.EqualFold(to, value) {
			return nil, "this server has none"
		}
		return func() {}, ""
	}
	return p
}

// IntParam is a whole number between bounds.
func IntParam(name string, lo, hi int64, get func() int64, set func(int64)) Param {
	return Param{name, func() string { return itoa(get()) }, func(value string) (func(), string) {
		n, ok := parseInt([]byte(value))
		if !ok {
			return nil, "argument couldn't be parsed into an integer"
		}
		if n < lo || n > hi {
			return nil, outOfBounds(lo, hi)
		}
		return func() { set(n) }, ""
	}}
}

// MemoryParam is a number of bytes, perhaps with a unit, between bounds.
func MemoryParam(name string, lo, hi int64, get func() int64, set func(int64)) Param {
	return Param{name, func() string { return itoa(get()) }, func(value string) (func(), string) {
		n, ok := ParseMemory(value)
		if !ok {
			return nil, "argument must be a memory value"
		}
		if n < lo || n > hi {
			return nil, outOfBounds(lo, hi)
		}
		return func() { set(n) }, ""
	}}
}

// TextParam is any text.
func TextParam(name string, get func() string, set func(string)) Param {
	return Param{name, get, func(value string) (func(), string) { return func() { set(value) }, "" }}
}

// PolicyParam is the name of an eviction policy.
func PolicyParam(name string, b *store.Budget) Param {
	return Param{name, func() string { return b.Policy().String() }, func(value string) (func(), string) {
		p, err := store.ParsePolicy(value)
		if err != nil {
			return nil, "argument(s) must be one of the following: " + strings.Join(store.PolicyNames(), ", ")
		}
		return func() { b.SetPolicy(p) }, ""
	}}
}

func outOfBounds(lo, hi int64) string {
	return fmt.Sprintf("argument must be between %d and %d inclusive", lo, hi)
}

// ParseMemory reads bytes with a unit: k, m and g are powers of 1000, kb, mb and gb of 1024.
func ParseMemory(text string) (n int64, ok bool) {
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	unit, ok := map[string]uint64{"": 1, "b": 1, "k": 1e3, "kb": 1 << 10, "m": 1e6, "mb": 1 << 20, "g": 1e9, "gb": 1 << 30}[strings.ToLower(text[digits:])]
	if !ok {
		return 0, false
	}
	if digits == 0 {
		return 0, true
	}
	u, err := strconv.ParseUint(text[:digits], 10, 64)
	if err != nil {
		return 0, false
	}
	return int64(min(u, math.MaxInt64/unit) * unit), true
}

func configGet(x *Exec, args [][]byte) {
	var hits []Param
	for _, p := range x.Host.Params() {
		if slices.ContainsFunc(args[2:], func(pattern []byte) bool { return match(pattern, []byte(p.Name), true) }) {
			hits = append(hits, p)
		}
	}
	x.W.Map(len(hits))
	for _, p := range hits {
		x.W.BulkString(p.Name)
		x.W.BulkString(p.Get())
	}
}

func configSet(x *Exec, args [][]byte) {
	if len(args)%2 != 0 {
		x.Error(errSyntax)
		return
	}
	changes, wrong := parseConfigSet(x.Host.Params(), args[2:])
	if wrong != "" {
		x.Error(wrong)
		return
	}
	for _, apply := range changes {
		apply()
	}
	x.W.Status("OK")
}

// parseConfigSet looks up all names before it looks at the first value, as Redis does.
func parseConfigSet(params []Param, pairs [][]byte) (changes []func(), wrong string) {
	failed := func(name, why string) string {
		return "ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + why
	}
	var chosen []Param
	for i := 0; i < len(pairs); i += 2 {
		name := string(clip(pairs[i], len(pairs[i])))
		at := slices.IndexFunc(params, func(p Param) bool { return strings.EqualFold(p.Name, name) })
		switch {
		case at < 0:
			return nil, "ERR Unknown option or number of arguments for CONFIG SET - '" + name + "'"
		case params[at].Parse == nil:
			return nil, failed(name, "can't set immutable config")
		case slices.ContainsFunc(chosen, func(p Param) bool { return p.Name == params[at].Name }):
			return nil, failed(name, "duplicate parameter")
		}
		chosen = append(chosen, params[at])
	}
	for i, p := range chosen {
		apply, why := p.Parse(string(bytes.Clone(pairs[2*i+1])))
		if why != "" {
			return nil, failed(p.Name, why)
		}
		changes = append(changes, apply)
	}
	return changes, ""
}

func configResetStat(x *Exec, _ [][]byte) {
	x.Host.ResetStats(x.Acc.Expired, x.Acc.Evicted)
	x.W.Status("OK")
}
