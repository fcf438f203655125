package command

import "time"

// What Redis has and a server that measures from outside has not: it is answered as a Redis in which nothing happened would.

var slowlog = &Spec{Name: "slowlog", Arity: -2, Group: "server", Summary: "Looks at slow commands, of which none is kept.", Subs: []*Spec{
	{Name: "slowlog|get", Usage: "[<count>]", Arity: -2, Local: slowlogGet, Group: "server", Summary: "The latest slow commands."},
	{Name: "slowlog|len", Arity: 2, Local: func(x *Exec, _ [][]byte) { x.W.Int(0) },
		Group: "server", Summary: "How many slow commands are kept."},
	{Name: "slowlog|reset", Arity: 2, Local: answerOK, Group: "server", Summary: "Forgets them."},
	helpSpec("slowlog"),
}}

func slowlogGet(x *Exec, args [][]byte) {
	if len(args) > 3 {
		x.Error("ERR unknown subcommand or wrong number of arguments for '" + string(clip(args[1], 128)) + "'. Try SLOWLOG HELP.")
		return
	}
	if len(args) == 3 {
		if n, ok := parseInt(args[2]); !ok || n < -1 {
			x.Error("ERR count should be greater than or equal to -1")
			return
		}
	}
	x.W.Array(0)
}

func answerOK(x *Exec, _ [][]byte)    { x.W.Status("OK") }
func answerEmpty(x *Exec, _ [][]byte) { x.W.Array(0) }

var latency = &Spec{Name: "latency", Arity: -2, Group: "server", Summary: "Looks at latency spikes, of which none is kept.", Subs: []*Spec{
	{Name: "latency|latest", Arity: 2, Local: answerEmpty, Group: "server", Summary: "The latest spike of each event."},
	{Name: "latency|history", Usage: "<event>", Arity: 3, Local: answerEmpty, Group: "server", Summary: "The spikes of an event."},
	{Name: "latency|graph", Usage: "<event>", Arity: 3, Local: func(x *Exec, args [][]byte) {
		x.Error("ERR No samples available for event '" + string(clip(args[2], len(args[2]))) + "'")
	}, Group: "server", Summary: "The spikes of an event, drawn."},
	{Name: "latency|reset", Usage: "[<event> ...]", Arity: -2, Local: func(x *Exec, _ [][]byte) { x.W.Int(0) },
		Group: "server", Summary: "Forgets the spikes."},
	{Name: "latency|doctor", Arity: 2, Local: func(x *Exec, _ [][]byte) {
		x.W.Text("Latency is not watched from inside: measure it where it is felt, with shardlab run.")
	}, Group: "server", Summary: "What the spikes may come from."},
	{Name: "latency|histogram", Usage: "[<command> ...]", Arity: -2, Local: func(x *Exec, _ [][]byte) { x.W.Map(0) },
		Group: "server", Summary: "How long commands took."},
	helpSpec("latency"),
}}

// debugRefusal is what Redis answers unless it was started for debugging.
const debugRefusal = "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local " +
	"connection, otherwise you need to set this option in the configuration file, and then restart the server."

func checkShutdown(args [][]byte) string {
	save, nosave, abort := 0, 0, 0
	for _, w := range args[1:] {
		switch {
		case is(w, "save"):
			save = 1
		case is(w, "nosave"):
			nosave = 1
		case is(w, "abort"):
			abort = 1
		case !is(w, "now") && !is(w, "force"):
			return errSyntax
		}
	}
	switch {
	case save+nosave > 1, abort == 1 && len(args) > 2:
		return errSyntax
	case abort == 1:
		return "ERR No shutdown in progress."
	}
	return ""
}

// shutdown ends the server. As in Redis, who asks for it gets no reply but the end of the connection.
func shutdown(x *Exec, _ [][]byte) {
	if !x.Host.Shutdown() {
		x.Error("ERR Errors trying to SHUTDOWN. Check logs.")
		return
	}
	x.Close = true
}

func tellTime(x *Exec, _ [][]byte) {
	now := time.Now() // to the microsecond
	x.W.Array(2)
	x.W.BulkString(itoa(now.Unix()))
	x.W.BulkString(itoa(int64(now.Nanosecond() / 1000)))
}
