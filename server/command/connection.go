package command

import (
	"crypto/sha256"
	"crypto/subtle"
	"math"
)

var connectionCommands = []*Spec{
	{Name: "ping", Arity: -1, Fast: true, Local: ping, Check: atMost("ping", 2),
		Group: "connection", Summary: "Answers PONG, or what it is given."},
	{Name: "echo", Arity: 2, Fast: true, Local: func(x *Exec, args [][]byte) { x.W.Bulk(args[1]) },
		Group: "connection", Summary: "Answers what it is given."},
	{Name: "auth", Arity: -2, Fast: true, NoAuth: true, Local: auth,
		Group: "connection", Summary: "Logs in."},
	{Name: "quit", Arity: -1, Fast: true, NoAuth: true, Immediate: true, Local: quit,
		Group: "connection", Summary: "Closes the connection."},
	{Name: "reset", Arity: 1, Fast: true, NoAuth: true, Immediate: true, Local: reset,
		Group: "connection", Summary: "Makes the connection what a new one is."},
	{Name: "select", Arity: 2, Fast: true, Local: selectDB,
		Group: "connection", Summary: "Changes to another database. There is one, 0."},
	{Name: "hello", Arity: -1, Fast: true, NoAuth: true, Local: hello,
		Group: "connection", Summary: "Shakes hands, and chooses RESP2 or RESP3."},
	client,
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

// Connect begins a session: one that has to log in first, if there is a password and it comes from outside.
func (x *Exec) Connect() {
	x.gate = 0
	if x.Client.Peer != nil && x.Host.Password() != "" {
		x.gate = needsAuth
	}
}

func reset(x *Exec, _ [][]byte) {
	x.endTransaction()
	x.Connect()
	x.NoTouch = false
	x.tellProtocol(false)
	x.Client.change(func(c *Client) { c.name, c.noEvict = "", false })
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

const errWrongPass = "WRONGPASS invalid username-password pair or user is disabled."

func auth(x *Exec, args [][]byte) {
	user, password := "default", args[len(args)-1]
	switch {
	case len(args) > 3:
		x.Error(errSyntax)
		return
	case len(args) == 3:
		user = string(args[1])
	case x.Host.Password() == "":
		x.Error("ERR AUTH <password> called without any password configured for the default user. " +
			"Are you sure your configuration is correct?")
		return
	}
	if !x.login(user, password) {
		x.Error(errWrongPass)
		return
	}
	x.W.Status("OK")
}

// login lets the session in if the password is right: of the one user there is, whose password may be none, and is then any.
func (x *Exec) login(user string, password []byte) bool {
	if user != "default" {
		return false
	}
	if want := x.Host.Password(); want != "" {
		// Hashed, so that how long it takes says nothing of the password, not even its length.
		a, b := sha256.Sum256([]byte(want)), sha256.Sum256(password)
		if subtle.ConstantTimeCompare(a[:], b[:]) == 0 {
			return false
		}
	}
	x.gate &^= needsAuth
	return true
}

// loggedIn reports whether the session may do more than log in.
func (x *Exec) loggedIn() bool { return x.gate&needsAuth == 0 || x.Host.Password() == "" }

// helloOptions are what HELLO [protover [AUTH user password] [SETNAME name]] says.
type helloOptions struct {
	version     int64 // 0: as it is
	user        []byte
	password    []byte
	name        string
	auth, named bool
}

func parseHello(args [][]byte) (o helloOptions, wrong string) {
	if len(args) > 1 {
		var ok bool
		if o.version, ok = parseInt(args[1]); !ok {
			return o, "ERR Protocol version is not an integer or out of range"
		}
		if o.version != 2 && o.version != 3 {
			return o, "NOPROTO unsupported protocol version"
		}
	}
	for i := 2; i < len(args); i++ {
		switch {
		case is(args[i], "auth") && i+2 < len(args):
			o.user, o.password, o.auth = args[i+1], args[i+2], true
			i += 2
		case is(args[i], "setname") && i+1 < len(args):
			if o.name, o.named = string(args[i+1]), true; !plainName(o.name) {
				return o, errClientName
			}
			i++
		default:
			return o, "ERR Syntax error in HELLO option '" + string(clip(args[i], len(args[i]))) + "'"
		}
	}
	return o, ""
}

func hello(x *Exec, args [][]byte) {
	o, wrong := parseHello(args)
	switch {
	case wrong != "":
		x.Error(wrong)
		return
	case o.auth && !x.login(string(o.user), o.password):
		x.Error(errWrongPass)
		return
	case !x.loggedIn():
		x.Error("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> " +
			"option can be used to authenticate the client and select the RESP protocol version at the same time")
		return
	}
	if o.named {
		x.Client.change(func(c *Client) { c.name = o.name })
	}
	if o.version != 0 {
		x.tellProtocol(o.version == 3)
	}
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
