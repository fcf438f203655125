package command

import "strings"

// helpSpec is HELP of a container: it lists the container's subcommands.
func helpSpec(container string) *Spec {
	return &Spec{Name: container + "|help", Arity: 2, Group: "server", Summary: "Lists the subcommands.",
		Local: func(x *Exec, _ [][]byte) { writeHelp(x, Lookup([]byte(container))) }}
}

func writeHelp(x *Exec, c *Spec) {
	x.W.Array(1 + 2*len(c.Subs))
	x.W.Status(strings.ToUpper(c.Name) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
	for _, sub := range c.Subs {
		_, name, _ := strings.Cut(sub.Name, "|")
		x.W.Status(strings.TrimSpace(strings.ToUpper(name) + " " + sub.Usage))
		x.W.Status("    " + sub.Summary)
	}
}

func unknownSubcommand(container string, sub []byte) string {
	return "ERR unknown subcommand '" + string(clip(sub, 128)) + "'. Try " + strings.ToUpper(container) + " HELP."
}
