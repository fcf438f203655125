package analysis

import (
	"fmt"
	"strings"

	"github.com/shardlab/shardlab/results"
)

// loadLabel stamps how load was offered. Latencies of a closed loop depend on N and are only comparable at equal N.
func loadLabel(p results.Point) string {
	if via := viaText(p); via != "" {
		p.Inside, p.Groups = 0, nil // both kinds have one load
		return loadLabel(p) + via
	}
	if other := p.Protocol; other != "" && other != "resp" {
		p.Protocol = ""
		return loadLabel(p) + " " + other
	}
	if len(p.Groups) > 0 {
		return fmt.Sprintf("%d groups, %d connections", len(p.Groups), p.Connections)
	}
	if p.Churn > 0 {
		churn := shortSI(p.Churn)
		p.Churn = 0
		return loadLabel(p) + ", " + churn + " connections/s anew"
	}
	if p.Mode != "open" {
		if p.Pipeline > 1 {
			return fmt.Sprintf("closed(%d×%d)", p.Connections, p.Pipeline)
		}
		return fmt.Sprintf("closed(%d)", p.Connections)
	}
	// Trailing zeros go, so that a round rate reads as it was written: 20k, not 20.0k.
	s := "open " + shortSI(p.Rate)
	if p.RateTo > 0 {
		s += " to " + shortSI(p.RateTo)
	}
	s += "/s"
	if law := p.Arrival; law != "" {
		s += " " + law
	}
	return s
}

// shortSI is FormatSI without trailing zeros after the point.
func shortSI(v float64) string {
	s := FormatSI(v)
	digits := strings.TrimRight(s, "kMGT")
	suffix := s[len(digits):]
	if strings.Contains(digits, ".") {
		digits = strings.TrimRight(strings.TrimRight(digits, "0"), ".")
	}
	return digits + suffix
}
