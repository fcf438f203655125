package command

import (
	"bytes"
	"slices"
	"strings"

	"github.com/shardlab/shardlab/store"
)

// Spec is one command, or a container of them: exactly one of Subs, Local, One, Part and Many is set, or the first two.
type Spec struct {
	Name    string // lower case; of a subcommand "container|sub"
	Arity   int    // number of arguments with the name; negative: at least that many
	Write   bool   // may change a shard: the topology must hold it for writing
	Fast    bool   // takes constant or logarithmic time, as Redis's flag says
	DenyOOM bool   // may need more memory: refused when the store is at its limit and nothing can be evicted
	NoAuth  bool   // needs no login
	NoMulti bool   // is refused in a transaction
	// Immediate is set on a command that a transaction does not queue.
	Immediate bool
	First     int    // position of the first key; 0: no keys
	Last      int    // position of the last key; negative counts from the end
	Step      int    // from one key to the next
	Group     string // for COMMAND DOCS
	Summary   string
	Usage     string // what follows the name, for HELP; of a subcommand

	// Check finds what is wrong with the arguments beyond their number, before anything is done. It returns an error
	// text, or "".
	Check func(args [][]byte) string

	Subs []*Spec // of a container: the second word chooses; without one, Local runs if it is there

	// Refusal is what the command always answers, before anything else is looked at than the number of arguments.
	Refusal string

	index   uint16 // in specs
	special bool   // has Subs or a Refusal

	Local func(x *Exec, args [][]byte)
	One   func(x *Exec, sh *store.Shard, hash uint64, args [][]byte)
	// ByShard, beside One, chooses the shard by something other than a key; the hash is then 0.
	ByShard func(args [][]byte, shards int) (shard int)
	// Named says that the client names the shard of ByShard, so that a port which serves one shard may have the command.
	Named bool

	AllShards bool // Part runs once for each shard, without a key; Many holds every shard
	// Part gets a key with the Step-1 arguments behind it. With AllShards part is the whole request and hash 0.
	Part  func(x *Exec, sh *store.Shard, hash uint64, part [][]byte)
	Begin func(x *Exec, parts int)
	End   func(x *Exec, args [][]byte)

	// Many runs once, while every shard that it touches is held for it alone: those of EachKey.
	Many func(x *Exec, held Held, args [][]byte)
	// Touches replaces First, Last and Step for a command whose keys are not all among its arguments. It calls visit
	// with each key and reports whether every shard is needed, whatever the keys.
	Touches func(x *Exec, args [][]byte, visit func(key []byte)) (all bool)
}

// Wrong returns the error text that refuses args for s, or "".
func (s *Spec) Wrong(args [][]byte) string {
	if s.wrongCount(args) {
		return wrongArity(s.Name)
	}
	if s.Check != nil {
		return s.Check(args)
	}
	return ""
}

func (s *Spec) wrongCount(args [][]byte) bool {
	n := len(args)
	return n != s.Arity && (s.Arity > 0 || n < -s.Arity)
}

// EachKey calls visit with every key of args in order. all means that the command needs every shard, whatever the keys.
func (s *Spec) EachKey(x *Exec, args [][]byte, visit func(key []byte)) (all bool) {
	if s.Touches != nil {
		return s.Touches(x, args, visit)
	}
	if s.First == 0 {
		return s.AllShards || s.ByShard != nil
	}
	s.argKeys(args, visit)
	return false
}

// argKeys calls visit with every key among the arguments.
func (s *Spec) argKeys(args [][]byte, visit func(key []byte)) {
	last := s.Last
	if last < 0 {
		last += len(args)
	}
	for i := s.First; i <= last; i += s.Step {
		visit(args[i])
	}
}

// Parts is the number of keys that args holds, for a command with Part and without AllShards.
func (s *Spec) Parts(args [][]byte) int { return (len(args) - s.First) / s.Step }

// PartArgs is the i-th key of args with what belongs to it.
func (s *Spec) PartArgs(args [][]byte, i int) [][]byte {
	at := s.First + i*s.Step
	return args[at : at+s.Step]
}

func wrongArity(name string) string {
	return "ERR wrong number of arguments for '" + name + "' command"
}

// All lists the commands by name. The caller must not change it.
func All() []*Spec { return table }

var table []*Spec

// specs are the commands and subcommands, by index; the first place is nobody's.
var specs = []*Spec{nil}

// Names of up to eight bytes are found by their bytes as one number, in a table of four times as many places as there
// are commands: about 4 ns, where a map[string] costs about 20.
var (
	shortNames [256]struct {
		name uint64
		spec *Spec
	}
	longNames = map[string]*Spec{}
)

func init() {
	table = slices.Concat(connectionCommands, serverCommands, keyCommands, expireCommands, keyspaceCommands,
		stringCommands, shardCommands, transactionCommands)
	slices.SortFunc(table, func(a, b *Spec) int { return strings.Compare(a.Name, b.Name) })
	for _, s := range table {
		for _, s := range append([]*Spec{s}, s.Subs...) {
			s.index, s.special = uint16(len(specs)), s.Subs != nil || s.Refusal != ""
			specs = append(specs, s)
		}
		if len(s.Name) > 8 {
			longNames[s.Name] = s
			continue
		}
		k := pack([]byte(s.Name))
		i := place(k)
		for shortNames[i].spec != nil {
			i = (i + 1) % uint64(len(shortNames))
		}
		shortNames[i].name, shortNames[i].spec = k, s
	}
}

// Find returns the command that args ask for, which of a container is the subcommand. It returns nil when there is none.
// A container itself is returned when its subcommand is missing or unknown; Admit then refuses it, unless it runs without one.
func Find(args [][]byte) *Spec {
	s := Lookup(args[0])
	if s == nil || s.Subs == nil || len(args) < 2 {
		return s
	}
	for _, sub := range s.Subs {
		if isExactly(args[1], sub.Name[len(s.Name)+1:]) {
			return sub
		}
	}
	return s
}

// Lookup finds a command by its name in any case. It returns nil when there is none.
func Lookup(name []byte) *Spec {
	if len(name) > 8 {
		if len(name) > 32 {
			return nil
		}
		return longNames[strings.ToLower(string(name))]
	}
	k := pack(name)
	for i := place(k); ; i = (i + 1) % uint64(len(shortNames)) {
		e := &shortNames[i]
		if e.spec == nil {
			return nil
		}
		if e.name == k && len(e.spec.Name) == len(name) { // a leading NUL is lost in k
			return e.spec
		}
	}
}

// place spreads packed names over the table by Fibonacci hashing.
func place(k uint64) uint64 { return k * 0x9E3779B97F4A7C15 >> 56 }

// pack makes a number of a name of up to eight bytes, its letters in lower case.
func pack(name []byte) uint64 {
	var k uint64
	for _, c := range name {
		if c-'A' < 26 {
			c |= 0x20
		}
		k = k<<8 | uint64(c)
	}
	return k
}

// unknown writes Redis's reply to a command that does not exist.
func (x *Exec) unknown(args [][]byte) {
	if is(args[0], "post") || is(args[0], "host:") {
		// A browser made to talk to this port by a hostile page must not get its next line executed (as Redis does).
		x.Close = true
		return
	}
	var b strings.Builder
	b.WriteString("ERR unknown command '")
	b.Write(clip(args[0], 128))
	b.WriteString("', with args beginning with: ")
	for shown, i := 0, 1; i < len(args) && shown < 128; i++ {
		a := clip(args[i], 128-shown)
		b.WriteByte('\'')
		b.Write(a)
		b.WriteString("' ")
		shown += len(a)
	}
	x.Error(b.String())
}

// clip is what of b an error text shows: at most n bytes, and none behind a NUL.
func clip(b []byte, n int) []byte {
	if len(b) > n {
		b = b[:n]
	}
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return b
}

// is reports whether word is the lower-case name, in any case. A NUL ends the word, as it does in Redis.
func is(word []byte, name string) bool {
	if len(word) > len(name) && word[len(name)] == 0 {
		word = word[:len(name)]
	}
	return isExactly(word, name)
}

// isExactly is is without an end at a NUL: names of commands and subcommands have none.
func isExactly(word []byte, name string) bool {
	if len(word) != len(name) {
		return false
	}
	for i, c := range word {
		if lower(c) != name[i] {
			return false
		}
	}
	return true
}
