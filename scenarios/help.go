package scenarios

import (
	"fmt"
	"strings"
)

// Schema describes every key of a scenario file, with its default and its range, for people: plain text of lines up
// to 120 columns.
func Schema() string {
	var b strings.Builder
	b.WriteString("A scenario is a YAML file of these keys. A list in a key marked * is a sweep: every arm is measured\n")
	b.WriteString("at every value, and several sweeps are crossed. Counts take k, M, G; sizes B, KiB, MiB, GiB; durations\n")
	b.WriteString("us, ms, s, m. ")
	fmt.Fprintf(&b, "At most %d points and %d arms.\n", MaxPoints, MaxArms)
	section := "none yet"
	for _, k := range schema {
		if k.section != section {
			section = k.section
			b.WriteString(sectionHeading(section))
		}
		b.WriteString(k.help())
	}
	b.WriteString("\npresets of workload.preset:\n")
	for _, p := range Presets() {
		b.WriteString(hang(fmt.Sprintf("  %-16s ", p.Name), p.About))
	}
	return b.String()
}

func sectionHeading(section string) string {
	switch section {
	case top:
		return "\n"
	case armList:
		return "\narms:   a list; each is a word (a topology) or a table of\n"
	case settings:
		return "\nsettings:   of every topology arm that does not say otherwise; shardlab serve --help has the words\n"
	}
	return "\n" + section + ":\n"
}

// help is k's line: name, kind, default, and what it is.
func (k key) help() string {
	name := k.name
	if k.section != top {
		name = "  " + name
	}
	if k.sweep {
		name += " *"
	}
	about := k.about
	if r := rangeOf(k); r != "" {
		about += " (" + r + ")"
	}
	if k.needs.key != "" {
		about += "; with " + k.needs.String()
	}
	head := fmt.Sprintf("%-20s %-9s %-19s ", name, k.kind, k.defaultText())
	return hang(head, about)
}

// hang writes text after head, in lines up to helpWidth columns that begin below its first.
func hang(head, text string) string {
	var b strings.Builder
	b.WriteString(head)
	column := len(head)
	for i, word := range strings.Fields(text) {
		if column+1+len(word) > helpWidth {
			b.WriteString("\n" + strings.Repeat(" ", len(head)-1))
			column = len(head) - 1
			i = 1
		}
		if i > 0 {
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	b.WriteByte('\n')
	return b.String()
}

const helpWidth = 120

func (k key) defaultText() string {
	switch {
	case k.required != "":
		return "required"
	case k.def != "":
		return k.def
	case k.section == settings:
		return "the topology's"
	}
	return "-"
}

func rangeOf(k key) string {
	l, ok := limits[k.name]
	switch {
	case k.name == "zipf":
		return fmt.Sprintf("above 0, up to %g", MaxZipf)
	case k.name == "hot_ops" || k.name == "hot_keys":
		return "above 0, up to 1"
	case k.name == "hot_drift":
		return fmt.Sprintf("above 0, up to %g", MaxDrift)
	case k.name == "burst_share":
		return "burst_on's share of the time to 1"
	case k.name == "arrival_speed":
		return fmt.Sprintf("%g to %g", minSpeed, maxSpeed)
	case !ok:
		return ""
	}
	return l.String()
}
