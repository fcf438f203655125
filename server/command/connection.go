package command

import (
	"math"
	"strings"
)

var connectionCommands = []*Spec{
	{Name: "ping", Arity: -1, Fast: true, Local: ping, Check: atMost("ping", 2),
		Group: "connection", Summary: "Returns the server's liveliness response."},
	{Name: "echo", Arity: 2, Fast: true, Local: func(x *Exec, args [][]byte) { x.W.Bulk(args[1]) },
		Group: "connection", Summary: "Returns the given string."},
	{Name: "quit", Arity: -1, Fast: true, NoAuth: true, Immediate: true, Local: quit,
		Group: "connection", Summary: "Closes the connection."},
	{Name: "select", Arity: 2, Fast: true, Local: selectDB,
		Group: "connection", Summary: "Changes the selected database. There is one, 0."},
	{Name: "hello", Arity: -1, Fast: true, NoAuth: true, Local: hello,
		Group: "connection", Summary: "Handshakes with the server and chooses RESP2 or RESP3."},
	{Name: "reset", Arity: 1, Fast: true, NoAuth: true, Immediate: true, Local: reset,
		Group: "connection", Summary: "Makes the connection what a new one is."},
	{Name: "client", Arity: -2, Local: client,
		Group: "connection", Summary: "A container for client connection commands: ID, GETNAME, SETNAME, SETINFO."},
}

func atMost(name string, n int) func([][]byte) string {
	return func(args [][]byte) string {
		if len(args) > n {
			return wrongArity(name)
		}
		return ""
	}
}

func ping(x *Exec, args [][]byte) {
	if len(args) == 2 {
		x.W.Bulk(args[1])
		return
	}
	x.W.Status("PONG")
}

func quit(x *Exec, _ [][]byte) {
	x.W.Status("OK")
	x.Close = true
}

func reset(x *Exec, _ [][]byte) {
	x.endTransaction()
	x.gate = 0
	x.W.RESP3 = false
	x.Client.Name = ""
	x.W.Status("RESET")
}

func selectDB(x *Exec, args [][]byte) {
	if wrong := checkDB(args[1]); wrong != "" {
		x.Error(wrong)
		return
	}
	x.W.Status("OK")
}

// checkDB finds what is wrong with the number of a database: there is one, 0.
func checkDB(b []byte) string {
	switch n, ok := parseInt(b); {
	case !ok:
		return errNotInteger
	case n < math.MinInt32 || n > math.MaxInt32:
		return "ERR value is out of range, value must between -2147483648 and 2147483647"
	case n != 0:
		return "ERR DB index is out of range"
	}
	return ""
}

// hello is HELLO [protover [AUTH user password] [SETNAME name]].
func hello(x *Exec, args [][]byte) {
	resp3 := x.W.RESP3
	if len(args) > 1 {
		v, ok := parseInt(args[1])
		if !ok {
			x.Error("ERR Protocol version is not an integer or out of range")
			return
		}
		if v != 2 && v != 3 {
			x.Error("NOPROTO unsupported protocol version")
			return
		}
		resp3 = v == 3
	}
	name, named := "", false
	for i := 2; i < len(args); i++ {
		switch {
		case is(args[i], "auth") && i+2 < len(args):
			// Without passwords the default user logs in with any, as in Redis; there is no other user.
			if string(args[i+1]) != "default" {
				x.Error("WRONGPASS invalid username-password pair or user is disabled.")
				return
			}
			i += 2
		case is(args[i], "setname") && i+1 < len(args):
			if name, named = string(args[i+1]), true; !plainName(name) {
				x.Error(errClientName)
				return
			}
			i++
		default:
			x.Error("ERR Syntax error in HELLO option '" + string(clip(args[i], 128)) + "'")
			return
		}
	}
	if named {
		x.Client.Name = name
	}
	x.W.RESP3 = resp3
	writeHello(x)
}

func writeHello(x *Exec) {
	proto := int64(2)
	if x.W.RESP3 {
		proto = 3
	}
	x.W.Map(7)
	x.W.BulkString("server")
	x.W.BulkString("shardlab")
	x.W.BulkString("version")
	x.W.BulkString(CompatVersion)
	x.W.BulkString("proto")
	x.W.Int(proto)
	x.W.BulkString("id")
	x.W.Int(x.Client.ID)
	x.W.BulkString("mode")
	x.W.BulkString("standalone")
	x.W.BulkString("role")
	x.W.BulkString("master")
	x.W.BulkString("modules")
	x.W.Array(0)
}

const errClientName = "ERR Client names cannot contain spaces, newlines or special characters."

// plainName reports whether a client name can be shown in a list of clients.
func plainName(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '!' || r > '~' })
}

func client(x *Exec, args [][]byte) {
	sub := args[1]
	switch {
	case is(sub, "id") && len(args) == 2:
		x.W.Int(x.Client.ID)
	case is(sub, "getname") && len(args) == 2:
		if x.Client.Name == "" {
			x.W.Null()
		} else {
			x.W.BulkString(x.Client.Name)
		}
	case is(sub, "setname") && len(args) == 3:
		if name := string(args[2]); plainName(name) {
			x.Client.Name = name
			x.W.Status("OK")
		} else {
			x.Error(errClientName)
		}
	case is(sub, "setinfo") && len(args) == 4:
		clientSetInfo(x, args[2], string(args[3]))
	default:
		x.subcommand("client", sub, "id", "getname", "setname", "setinfo")
	}
}

func clientSetInfo(x *Exec, attr []byte, value string) {
	var field *string
	switch {
	case is(attr, "lib-name"):
		field = &x.Client.LibName
	case is(attr, "lib-ver"):
		field = &x.Client.LibVer
	default:
		x.Error("ERR Unrecognized option '" + string(clip(attr, 128)) + "'")
		return
	}
	if !plainName(value) {
		x.Error("ERR " + strings.ToLower(string(attr)) + " cannot contain spaces, newlines or special characters.")
		return
	}
	*field = value
	x.W.Status("OK")
}

// subcommand refuses a subcommand: for its arguments when it is one of known, else for not being there.
func (x *Exec) subcommand(name string, sub []byte, known ...string) {
	for _, k := range known {
		if is(sub, k) {
			x.Error(wrongArity(name + "|" + k))
			return
		}
	}
	x.Error(unknownSubcommand(name, sub))
}
