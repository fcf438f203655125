package command

import (
	"path"
	"strings"

	"github.com/shardlab/shardlab/store"
)

// CompatVersion is the Redis version whose replies these commands give; clients decide by it what they may send.
const CompatVersion = "7.2.0"

var serverCommands = []*Spec{
	{Name: "info", Arity: -1, AllShards: true, Part: infoPart, End: info,
		Group: "server", Summary: "Returns information and statistics about the server."},
	{Name: "config", Arity: -2, Local: config,
		Group: "server", Summary: "A container for server configuration commands: GET."},
	{Name: "command", Arity: -1, Local: commandCommand,
		Group: "server", Summary: "Returns detailed information about all commands: COUNT, INFO, DOCS."},
}

func infoPart(x *Exec, sh *store.Shard, _ uint64, _ [][]byte) {
	m := sh.Memory()
	x.Acc.Keys += int64(sh.Len())
	x.Acc.TTLs += int64(sh.TTLs())
	x.Acc.Stored += int64(m.Stored)
	x.Acc.Reserved += int64(m.Reserved)
	st := sh.Stats()
	x.Acc.Expired += int64(st.Expired)
	x.Acc.Evicted += int64(st.Evicted)
}

func info(x *Exec, args [][]byte) {
	x.W.Text(formatInfo(x.Host.ServerInfo(), &x.Acc, args[1:]))
}

func config(x *Exec, args [][]byte) {
	if !is(args[1], "get") || len(args) < 3 {
		x.subcommand("config", args[1], "get")
		return
	}
	var hits []Setting
	for _, s := range x.Host.Config() {
		for _, pattern := range args[2:] {
			if ok, err := path.Match(strings.ToLower(string(pattern)), s.Name); ok && err == nil {
				hits = append(hits, s)
				break
			}
		}
	}
	x.W.Map(len(hits))
	for _, s := range hits {
		x.W.BulkString(s.Name)
		x.W.BulkString(s.Value)
	}
}

func commandCommand(x *Exec, args [][]byte) {
	switch {
	case len(args) == 1:
		x.W.Array(len(All()))
		for _, s := range All() {
			writeSpec(x, s)
		}
	case is(args[1], "count") && len(args) == 2:
		x.W.Int(int64(len(All())))
	case is(args[1], "info"):
		commandInfo(x, args[2:])
	case is(args[1], "docs"):
		commandDocs(x, args[2:])
	default:
		x.subcommand("command", args[1], "count")
	}
}

func commandInfo(x *Exec, names [][]byte) {
	if len(names) == 0 {
		commandCommand(x, make([][]byte, 1))
		return
	}
	x.W.Array(len(names))
	for _, n := range names {
		if s := Lookup(n); s != nil {
			writeSpec(x, s)
		} else {
			x.W.Null()
		}
	}
}

// writeSpec writes COMMAND INFO's entry for s. The last three elements, tips, key specifications and subcommands, are empty.
func writeSpec(x *Exec, s *Spec) {
	flags := []string{"readonly", "fast"}
	if s.Write {
		flags[0] = "write"
	}
	if s.Local != nil {
		flags[0] = "loading"
	}
	if !s.Fast {
		flags = flags[:1]
	}
	x.W.Array(10)
	x.W.BulkString(s.Name)
	x.W.Int(int64(s.Arity))
	x.W.Set(len(flags))
	for _, f := range flags {
		x.W.Status(f)
	}
	x.W.Int(int64(s.First))
	x.W.Int(int64(s.Last))
	x.W.Int(int64(s.Step))
	x.W.Set(1)
	x.W.Status("@" + s.Group)
	x.W.Array(0)
	x.W.Array(0)
	x.W.Array(0)
}

func commandDocs(x *Exec, names [][]byte) {
	var specs []*Spec
	for _, n := range names {
		if s := Lookup(n); s != nil {
			specs = append(specs, s)
		}
	}
	if len(names) == 0 {
		specs = All()
	}
	x.W.Map(len(specs))
	for _, s := range specs {
		x.W.BulkString(s.Name)
		x.W.Map(2)
		x.W.BulkString("summary")
		x.W.BulkString(s.Summary)
		x.W.BulkString("group")
		x.W.BulkString(s.Group)
	}
}
