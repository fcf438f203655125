package page

import (
	"fmt"
	"strings"

	"github.com/shardlab/shardlab/results"
)

// facts are the environment of a run, those that are known.
func facts(m results.Manifest) (out []fact) {
	add := func(name, value string) {
		if value != "" && value != "0" {
			out = append(out, fact{Name: name, Value: value})
		}
	}
	e := m.Before
	add("run", m.ID)
	add("revision", m.Code.Revision)
	if m.Code.Dirty {
		add("source", "differed from the revision, sha256 of the difference "+m.Code.DiffHash)
	}
	add("program", strings.TrimSpace(m.Code.Version+" "+m.Code.GoVersion+" "+m.Code.GOAMD64))
	add("machine", e.Describe())
	add("environment key", m.EnvKey)
	add("server on processors", m.CPUs.Server)
	add("client on processors", m.CPUs.Client)
	if m.CPUs.Shared {
		add("shared", "server and client shared processors")
	}
	add("kernel", strings.TrimSpace(e.Kernel.Release+" "+e.Kernel.Clocksource))
	add("governor", e.CPU.Governor)
	if e.Memory.Total > 0 {
		add("memory", fmt.Sprintf("%.1f GiB, huge pages %s", float64(e.Memory.Total)/(1<<30), e.Memory.THP))
	}
	if e.Cgroup.CPUMax > 0 {
		add("processor limit", fmt.Sprint(e.Cgroup.CPUMax))
	}
	add("load average", fmt.Sprintf("%.2f before, %.2f after", e.Load.Avg1, m.After.Load.Avg1))
	add("seed", fmt.Sprint(m.Scenario.Seed))
	for _, n := range m.Notes {
		add("note", n)
	}
	for _, a := range m.Arms {
		add("version of "+a.Name, a.Version)
		if len(a.Command) > 0 {
			out = append(out, fact{Name: "arm " + a.Name, Command: quotedAll(a.Command)})
		}
	}
	return out
}

// command is what makes the run again, as a shell takes it, word by word.
func command(m results.Manifest) []string {
	words := quotedAll(m.Argv)
	if m.Code.Revision != "" {
		words = append([]string{"git", "checkout", quoted(m.Code.Revision), "&&", "go", "install", "./cmd/shardlab", "&&"}, words...)
	}
	return words
}

func quotedAll(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = quoted(w)
	}
	return out
}

// quoted is a word that a shell takes for itself.
func quoted(w string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("_-./=:,+@%", c)
	}
	if w != "" && strings.IndexFunc(w, func(c rune) bool { return !plain(c) }) < 0 {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}
