package command

import (
	"bytes"
	"slices"
	"strings"
)

var commandCommand = &Spec{Name: "command", Arity: -1, Group: "server", Summary: "Describes the commands.",
	Local: func(x *Exec, _ [][]byte) { writeSpecs(x, All()) },
	Subs: []*Spec{
		{Name: "command|count", Arity: 2, Local: func(x *Exec, _ [][]byte) { x.W.Int(int64(len(All()))) },
			Group: "server", Summary: "How many commands there are."},
		{Name: "command|info", Usage: "[<name> ...]", Arity: -2, Local: commandInfo,
			Group: "server", Summary: "What commands are called with, and where their keys are."},
		{Name: "command|docs", Usage: "[<name> ...]", Arity: -2, Local: commandDocs,
			Group: "server", Summary: "What commands do."},
		{Name: "command|list", Usage: "[FILTERBY <MODULE|ACLCAT|PATTERN> <value>]", Arity: -2, Local: commandList,
			Group: "server", Summary: "The names of the commands."},
		{Name: "command|getkeys", Usage: "<command> [<arg> ...]", Arity: -4, Local: commandGetKeys,
			Group: "server", Summary: "The keys of a request."},
		{Name: "command|getkeysandflags", Usage: "<command> [<arg> ...]", Arity: -4, Local: commandGetKeysAndFlags,
			Group: "server", Summary: "The keys of a request, and what is done to them."},
		helpSpec("command"),
	}}

func commandInfo(x *Exec, args [][]byte) {
	if len(args) == 2 {
		writeSpecs(x, All())
		return
	}
	x.W.Array(len(args) - 2)
	for _, name := range args[2:] {
		if s := lookupFull(name); s != nil {
			writeSpec(x, s)
		} else {
			x.W.Null()
		}
	}
}

// lookupFull finds a command by its name, or a subcommand by both names with a bar between.
func lookupFull(name []byte) *Spec {
	container, sub, both := bytes.Cut(name, []byte("|"))
	s := Lookup(container)
	if s == nil || !both {
		return s
	}
	if found := Find([][]byte{container, sub}); found != s {
		return found
	}
	return nil
}

func writeSpecs(x *Exec, all []*Spec) {
	x.W.Array(len(all))
	for _, s := range all {
		writeSpec(x, s)
	}
}

// writeSpec writes COMMAND INFO's entry for s. Tips are left out: they are about clusters.
func writeSpec(x *Exec, s *Spec) {
	x.W.Array(10)
	x.W.BulkString(s.Name)
	x.W.Int(int64(s.Arity))
	writeStatuses(x, s.flags())
	x.W.Int(int64(s.First))
	x.W.Int(int64(s.Last))
	x.W.Int(int64(s.Step))
	writeStatuses(x, s.categories())
	x.W.Array(0)
	writeKeySpec(x, s)
	writeSpecs(x, s.Subs)
}

func writeStatuses(x *Exec, words []string) {
	x.W.Set(len(words))
	for _, w := range words {
		x.W.Status(w)
	}
}

// flags are what Redis calls them.
func (s *Spec) flags() (words []string) {
	add := func(yes bool, word string) {
		if yes {
			words = append(words, word)
		}
	}
	data := s.First > 0 || s.AllShards && s.Group != "server" || s.ByShard != nil
	add(s.Write, "write")
	add(data && !s.Write, "readonly")
	add(s.DenyOOM, "denyoom")
	add(s.Local != nil, "loading")
	add(s.Local != nil, "stale")
	add(s.Fast, "fast")
	add(s.NoAuth, "no_auth")
	add(s.NoMulti, "no_multi")
	return words
}

// categories are those of Redis's access control.
func (s *Spec) categories() []string {
	words := []string{"@slow"}
	if s.Fast {
		words[0] = "@fast"
	}
	switch {
	case s.Write:
		words = append(words, "@write")
	case s.First > 0 && s.Subs == nil:
		words = append(words, "@read")
	}
	switch s.Group {
	case "generic":
		words = append(words, "@keyspace")
	case "server":
		if !s.AllShards {
			words = append(words, "@admin")
		}
		words = append(words, "@dangerous")
	case "transactions":
		words = append(words, "@transaction")
	default:
		words = append(words, "@"+s.Group)
	}
	return words
}

// access is what a command does to its keys, in two words.
func (s *Spec) access() []string {
	if s.Write {
		return []string{"RW", "update"}
	}
	return []string{"RO", "access"}
}

// writeKeySpec writes where the keys are: from First on, each Step arguments, up to Last.
func writeKeySpec(x *Exec, s *Spec) {
	if s.First == 0 {
		x.W.Array(0)
		return
	}
	last := int64(s.Last)
	if last > 0 {
		last -= int64(s.First)
	}
	x.W.Array(1)
	x.W.Map(3)
	x.W.BulkString("flags")
	writeStatuses(x, s.access())
	x.W.BulkString("begin_search")
	x.W.Map(2)
	x.W.BulkString("type")
	x.W.BulkString("index")
	x.W.BulkString("spec")
	x.W.Map(1)
	x.figure("index", int64(s.First))
	x.W.BulkString("find_keys")
	x.W.Map(2)
	x.W.BulkString("type")
	x.W.BulkString("range")
	x.W.BulkString("spec")
	x.W.Map(3)
	x.figure("lastkey", last)
	x.figure("keystep", int64(s.Step))
	x.figure("limit", 0)
}

func commandDocs(x *Exec, args [][]byte) {
	var all []*Spec
	for _, name := range args[2:] {
		if s := lookupFull(name); s != nil {
			all = append(all, s)
		}
	}
	if len(args) == 2 {
		all = All()
	}
	writeDocs(x, all)
}

func writeDocs(x *Exec, all []*Spec) {
	x.W.Map(len(all))
	for _, s := range all {
		x.W.BulkString(s.Name)
		pairs := 2
		if s.Subs != nil {
			pairs++
		}
		x.W.Map(pairs)
		x.W.BulkString("summary")
		x.W.BulkString(s.Summary)
		x.W.BulkString("group")
		x.W.BulkString(s.Group)
		if s.Subs != nil {
			x.W.BulkString("subcommands")
			writeDocs(x, s.Subs)
		}
	}
}

func commandList(x *Exec, args [][]byte) {
	keep := func(*Spec) bool { return true }
	if len(args) != 2 {
		if len(args) != 5 || !is(args[2], "filterby") {
			x.Error(errSyntax)
			return
		}
		switch kind, value := args[3], args[4]; {
		case is(kind, "module"):
			keep = func(*Spec) bool { return false }
		case is(kind, "aclcat"):
			keep = func(s *Spec) bool {
				return slices.ContainsFunc(s.categories(), func(c string) bool { return is(value, c[1:]) })
			}
		case is(kind, "pattern"):
			keep = func(s *Spec) bool { return match(value, []byte(s.Name), true) }
		default:
			x.Error(errSyntax)
			return
		}
	}
	var names []string
	for _, s := range specs[1:] {
		if keep(s) && (len(args) > 2 || !strings.Contains(s.Name, "|")) {
			names = append(names, s.Name)
		}
	}
	x.W.Array(len(names))
	for _, name := range names {
		x.W.BulkString(name)
	}
}

// requestKeys returns the command and the keys of the request that COMMAND GETKEYS is about; it answers if there are none.
func requestKeys(x *Exec, request [][]byte) (cmd *Spec, keys [][]byte) {
	cmd = Find(request)
	switch {
	case cmd == nil || cmd.Subs != nil:
		x.Error("ERR Invalid command specified")
		return nil, nil
	case cmd.First == 0:
		x.Error("ERR The command has no key arguments")
		return nil, nil
	case cmd.wrongCount(request):
		x.Error("ERR Invalid number of arguments specified for command")
		return nil, nil
	}
	cmd.argKeys(request, func(key []byte) { keys = append(keys, key) })
	return cmd, keys
}

func commandGetKeys(x *Exec, args [][]byte) {
	if _, keys := requestKeys(x, args[2:]); keys != nil {
		x.W.Array(len(keys))
		for _, key := range keys {
			x.W.Bulk(key)
		}
	}
}

func commandGetKeysAndFlags(x *Exec, args [][]byte) {
	cmd, keys := requestKeys(x, args[2:])
	if keys == nil {
		return
	}
	x.W.Array(len(keys))
	for _, key := range keys {
		x.W.Array(2)
		x.W.Bulk(key)
		writeStatuses(x, cmd.access())
	}
}
