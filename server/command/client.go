package command

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Client is a session as other sessions may see it. What its own session changes often, once a batch, is atomic; the rest
// changes when a command says so, under the lock, and the session itself reads it without.
type Client struct {
	ID      int64
	Started time.Time
	Peer    Peer // nil of an in-process session

	active  atomic.Int64 // Unix seconds of the last batch
	running atomic.Pointer[Spec]

	mu      sync.Mutex
	name    string
	libName string
	libVer  string
	resp3   bool
	noEvict bool
	multi   int // requests queued, -1 outside of a transaction
}

// Peer is the other end of a client's connection.
type Peer interface {
	Remote() string
	Local() string
	Kill()
}

// NewClient returns what a new session is.
func NewClient(id int64, peer Peer, now time.Time) *Client {
	c := &Client{ID: id, Peer: peer, Started: now, multi: -1}
	c.active.Store(now.Unix())
	return c
}

// Active notes that a batch ended at a time, with a command. It is called once a batch.
func (c *Client) Active(second int64, last *Spec) {
	if c.active.Load() != second {
		c.active.Store(second)
	}
	if last != nil && c.running.Load() != last {
		c.running.Store(last)
	}
}

// change changes what others see of c.
func (c *Client) change(by func(c *Client)) {
	c.mu.Lock()
	by(c)
	c.mu.Unlock()
}

// show describes c in one line, as CLIENT LIST does. Buffers are the transport's, of which this knows nothing: they are left out.
func (c *Client) show(now int64) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	remote, local := "in-process:0", "in-process:0"
	if c.Peer != nil {
		remote, local = c.Peer.Remote(), c.Peer.Local()
	}
	flags := ""
	if c.multi >= 0 {
		flags += "x"
	}
	if c.noEvict {
		flags += "e"
	}
	if strings.HasSuffix(remote, ":0") && c.Peer != nil {
		flags += "U"
	}
	if flags == "" {
		flags = "N"
	}
	cmd, resp := "NULL", 2
	if s := c.running.Load(); s != nil {
		cmd = s.Name
	}
	if c.resp3 {
		resp = 3
	}
	return fmt.Sprintf("id=%d addr=%s laddr=%s fd=-1 name=%s age=%d idle=%d flags=%s db=0 sub=0 psub=0 ssub=0 multi=%d "+
		"cmd=%s user=default redir=-1 resp=%d lib-name=%s lib-ver=%s", c.ID, remote, local, c.name, max(now-c.Started.Unix(), 0),
		max(now-c.active.Load(), 0), flags, c.multi, cmd, resp, c.libName, c.libVer)
}

var client = &Spec{Name: "client", Arity: -2, Group: "connection", Summary: "Looks at connections and changes them.", Subs: []*Spec{
	{Name: "client|id", Arity: 2, Local: func(x *Exec, _ [][]byte) { x.W.Int(x.Client.ID) },
		Group: "connection", Summary: "The number of the connection."},
	{Name: "client|getname", Arity: 2, Local: clientGetName,
		Group: "connection", Summary: "The name of the connection."},
	{Name: "client|setname", Usage: "<name>", Arity: 3, Local: clientSetName,
		Group: "connection", Summary: "Names the connection."},
	{Name: "client|setinfo", Usage: "<LIB-NAME|LIB-VER> <value>", Arity: 4, Local: clientSetInfo,
		Group: "connection", Summary: "Says which library the client uses."},
	{Name: "client|info", Arity: 2, Local: clientInfo,
		Group: "connection", Summary: "Describes the connection."},
	{Name: "client|list", Usage: "[TYPE <type> | ID <id> [<id> ...]]", Arity: -2, Local: clientList,
		Group: "connection", Summary: "Describes the connections."},
	{Name: "client|kill", Usage: "<addr:port> | <ID|TYPE|ADDR|LADDR|USER|SKIPME> <value> [...]", Arity: -3, Local: clientKill,
		Group: "connection", Summary: "Closes connections."},
	{Name: "client|no-evict", Usage: "<ON|OFF>", Arity: 3, Local: clientNoEvict,
		Group: "connection", Summary: "Protects the connection from being closed for want of memory, which no connection is."},
	{Name: "client|no-touch", Usage: "<ON|OFF>", Arity: 3, Local: clientNoTouch,
		Group: "connection", Summary: "Has the connection's reads count as no use of the keys."},
	{Name: "client|reply", Usage: "<ON|OFF|SKIP>", Arity: 3, Local: clientReply,
		Group: "connection", Summary: "Says whether the client wants replies."},
	helpSpec("client"),
}}

const errClientName = "ERR Client names cannot contain spaces, newlines or special characters."

// plainName reports whether a client name can be shown in a list of clients.
func plainName(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < '!' || r > '~' })
}

func clientGetName(x *Exec, _ [][]byte) {
	if x.Client.name == "" {
		x.W.Null()
	} else {
		x.W.BulkString(x.Client.name)
	}
}

func clientSetName(x *Exec, args [][]byte) {
	name := string(args[2])
	if !plainName(name) {
		x.Error(errClientName)
		return
	}
	x.Client.change(func(c *Client) { c.name = name })
	x.W.Status("OK")
}

func clientSetInfo(x *Exec, args [][]byte) {
	value := string(args[3])
	switch attr := args[2]; {
	case !is(attr, "lib-name") && !is(attr, "lib-ver"):
		x.Error("ERR Unrecognized option '" + string(clip(attr, 128)) + "'")
	case !plainName(value):
		x.Error("ERR " + strings.ToLower(string(attr)) + " cannot contain spaces, newlines or special characters.")
	default:
		x.Client.change(func(c *Client) {
			if is(attr, "lib-name") {
				c.libName = value
			} else {
				c.libVer = value
			}
		})
		x.W.Status("OK")
	}
}

// onOff reads ON or OFF; what is neither is answered.
func (x *Exec) onOff(word []byte) (on, ok bool) {
	if on = is(word, "on"); !on && !is(word, "off") {
		x.Error(errSyntax)
		return false, false
	}
	return on, true
}

func clientNoEvict(x *Exec, args [][]byte) {
	if on, ok := x.onOff(args[2]); ok {
		x.Client.change(func(c *Client) { c.noEvict = on })
		x.W.Status("OK")
	}
}

func clientNoTouch(x *Exec, args [][]byte) {
	if on, ok := x.onOff(args[2]); ok {
		x.NoTouch = on
		x.W.Status("OK")
	}
}

func clientReply(x *Exec, args [][]byte) {
	switch word := args[2]; {
	case is(word, "on"):
		x.gate &^= replyOff | replySkip
		x.W.Status("OK")
	case is(word, "off"):
		x.gate |= replyOff
	case is(word, "skip"):
		if x.gate&replyOff == 0 {
			x.gate |= replySkip | skipNext
		}
	default:
		x.Error(errSyntax)
	}
}

// clientTypes are the kinds of clients that Redis has; here all are normal.
var clientTypes = []string{"normal", "master", "replica", "slave", "pubsub"}

func parseClientType(word []byte) (normal bool, wrong string) {
	i := slices.IndexFunc(clientTypes, func(name string) bool { return is(word, name) })
	if i < 0 {
		return false, "ERR Unknown client type '" + string(clip(word, len(word))) + "'"
	}
	return i == 0, ""
}

func clientInfo(x *Exec, _ [][]byte) {
	x.Client.Active(x.Now()/1000, specs[x.running])
	x.W.Text(x.Client.show(x.Now()/1000) + "\n")
}

func clientList(x *Exec, args [][]byte) {
	x.Client.Active(x.Now()/1000, specs[x.running])
	all := x.Host.Clients()
	switch {
	case len(args) == 2:
	case len(args) == 4 && is(args[2], "type"):
		normal, wrong := parseClientType(args[3])
		if wrong != "" {
			x.Error(wrong)
			return
		}
		if !normal {
			all = nil
		}
	case len(args) > 3 && is(args[2], "id"):
		wanted, ok := parseIDs(args[3:])
		if !ok {
			x.Error("ERR Invalid client ID")
			return
		}
		all = slices.DeleteFunc(all, func(c *Client) bool { return !slices.Contains(wanted, c.ID) })
	default:
		x.Error(errSyntax)
		return
	}
	var b strings.Builder
	for _, c := range all {
		b.WriteString(c.show(x.Now() / 1000))
		b.WriteByte('\n')
	}
	x.W.Text(b.String())
}

func parseIDs(words [][]byte) (ids []int64, ok bool) {
	for _, w := range words {
		n, ok := parseInt(w)
		if !ok {
			return nil, false
		}
		ids = append(ids, n)
	}
	return ids, true
}

// killFilter says which clients CLIENT KILL is about.
type killFilter struct {
	id            int64
	addr, laddr   string
	hasAddr       bool
	hasLocal      bool
	none, sparing bool // it is about a type that no client has; not about the one that asks
}

func parseKill(args [][]byte) (f killFilter, wrong string) {
	if len(args) == 3 {
		return killFilter{addr: string(args[2]), hasAddr: true}, ""
	}
	f.sparing = true
	for i := 2; i < len(args); i += 2 {
		if i+1 == len(args) {
			return f, errSyntax
		}
		if wrong := f.take(args[i], args[i+1]); wrong != "" {
			return f, wrong
		}
	}
	return f, ""
}

func (f *killFilter) take(word, value []byte) (wrong string) {
	switch {
	case is(word, "id"):
		n, ok := parseInt(value)
		if !ok || n < 1 {
			return "ERR client-id should be greater than 0"
		}
		f.id = n
	case is(word, "type"):
		normal, wrong := parseClientType(value)
		f.none = f.none || !normal
		return wrong
	case is(word, "addr"):
		f.addr, f.hasAddr = string(value), true
	case is(word, "laddr"):
		f.laddr, f.hasLocal = string(value), true
	case is(word, "user"):
		if string(value) != "default" {
			return "ERR No such user '" + string(clip(value, len(value))) + "'"
		}
	case is(word, "skipme") && (is(value, "yes") || is(value, "no")):
		f.sparing = is(value, "yes")
	default:
		return errSyntax
	}
	return ""
}

func (f *killFilter) wants(c, self *Client) bool {
	return !f.none && c.Peer != nil && (f.id == 0 || f.id == c.ID) && !(f.sparing && c == self) &&
		(!f.hasAddr || f.addr == c.Peer.Remote()) && (!f.hasLocal || f.laddr == c.Peer.Local())
}

func clientKill(x *Exec, args [][]byte) {
	f, wrong := parseKill(args)
	if wrong != "" {
		x.Error(wrong)
		return
	}
	killed := 0
	for _, c := range x.Host.Clients() {
		if !f.wants(c, x.Client) {
			continue
		}
		killed++
		if c == x.Client {
			x.Close = true // once it has its reply
		} else {
			c.Peer.Kill()
		}
	}
	switch {
	case len(args) > 3:
		x.W.Int(int64(killed))
	case killed == 0:
		x.Error("ERR No such client")
	default:
		x.W.Status("OK")
	}
}

// tellMulti has others see how many requests are queued.
func (x *Exec) tellMulti() {
	n := -1
	if x.gate&inMulti != 0 {
		n = len(x.tx.queue)
	}
	x.Client.change(func(c *Client) { c.multi = n })
}

// tellProtocol changes the protocol of replies, and has others see it.
func (x *Exec) tellProtocol(resp3 bool) {
	x.W.RESP3 = resp3
	x.Client.change(func(c *Client) { c.resp3 = resp3 })
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
