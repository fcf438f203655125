package command

// CompatVersion is the Redis version whose replies these commands give; clients decide by it what they may send.
const CompatVersion = "7.2.0"

var serverCommands = []*Spec{
	{Name: "info", Arity: -1, AllShards: true, Part: infoPart, End: info,
		Group: "server", Summary: "Tells how the server is doing."},
	{Name: "time", Arity: 1, Fast: true, Local: tellTime,
		Group: "server", Summary: "Returns the server's time: seconds, and microseconds behind them."},
	{Name: "debug", Arity: -2, Refusal: debugRefusal,
		Group: "server", Summary: "Is refused."},
	{Name: "shutdown", Arity: -1, NoMulti: true, Local: shutdown, Check: checkShutdown,
		Group: "server", Summary: "Ends the server, once it has answered what it has read."},
	commandCommand, config, latency, memory, object, slowlog,
}
