package results

import (
	"encoding/hex"
	"strings"
	"time"
)

// idTime is how a run id begins. Ids of one place sort by the time of their runs.
const idTime = "20060102T150405Z"

// maxName keeps file names within every file system's limit, suffixes included.
const maxName = 200

// runID makes a directory's name: time, revision, scenario and a hash that tells runs of one second apart.
func runID(started time.Time, rev7, scenario, unique string) string {
	return started.UTC().Format(idTime) + "-" + rev7 + "-" + slug(scenario) + "-" + shortHash(unique)[:6]
}

// slug makes a readable part of a directory's name. It may map two names to one; the id's hash tells them apart.
func slug(name string) string {
	s := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '.':
			return r
		}
		return '-'
	}, name)
	s = strings.Trim(s[:min(len(s), 40)], "-.")
	if s == "" {
		return "unnamed"
	}
	return s
}

// safeName makes a file name of a label, a different one for every label: two points that shared a file would be
// added together. What is not plain is written %XX; a name too long ends in a hash instead, after a '~' that no other
// name has.
func safeName(label string) string {
	var b strings.Builder
	for i := range len(label) {
		c := label[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '=', c == ',', c == '_', c == '+', c == '-', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			escape(&b, c)
		}
	}
	if b.Len() > maxName {
		return b.String()[:maxName-13] + "~" + shortHash(label)
	}
	return b.String()
}

// pointDir is the folder of a point's histograms: its label, or "all" where the scenario sweeps nothing.
func pointDir(label string) string {
	switch label {
	case "":
		return "all"
	case "all": // a label that spells like none
		return "%61ll"
	}
	return safeName(label)
}

// armFile is the name of an arm's histogram log.
func armFile(arm string, k Kind) string {
	name := safeName(arm)
	if k == Service {
		return name + serviceSuffix + hlogSuffix
	}
	// An arm called "x.service" must not take the service file of the arm "x".
	if stem, ok := strings.CutSuffix(name, serviceSuffix); ok {
		name = stem + "%2Eservice"
	}
	return name + hlogSuffix
}

func escape(b *strings.Builder, c byte) {
	b.WriteByte('%')
	b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{c})))
}
