package scenarios

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SLO is a bound on response time: what a rate must meet to be called bearable.
type SLO struct {
	Op    string        `json:"op,omitempty"` // in capitals, of the mix; "" for all operations together
	Stat  string        `json:"stat"`         // "p50" to "p99.99", SLOMax or SLOMean
	Limit time.Duration `json:"limit_ns"`
}

// Statistics that an SLO may be on, beside quantiles.
const (
	SLOMax  = "max"
	SLOMean = "mean"
)

// String is the SLO as a file has it.
func (s SLO) String() string {
	text := s.Stat + " < " + s.Limit.String()
	if s.Op != "" {
		text = strings.ToLower(s.Op) + " " + text
	}
	return text
}

// Quantile is that of Stat, of 1; 0 for SLOMax and SLOMean.
func (s SLO) Quantile() float64 {
	percent, _ := strconv.ParseFloat(strings.TrimPrefix(s.Stat, "p"), 64)
	return math.Round(percent*1e6) / 1e8 // 0.999, not 0.9990000000000001
}

const sloLike = "as in p99 < 1ms, or get p99.9 < 500us"

// parseSLO reads what String writes, with any blanks.
func parseSLO(text string) (s SLO, bad string) {
	left, right, ok := strings.Cut(text, "<")
	f := strings.Fields(left)
	if !ok || len(f) < 1 || len(f) > 2 {
		return s, fmt.Sprintf("%s is not a bound on response time; write one %s", quote(text), sloLike)
	}
	if len(f) == 2 {
		if !slices.Contains(operations, strings.ToLower(f[0])) {
			return s, unknown("operation", f[0], operations)
		}
		s.Op = strings.ToUpper(f[0])
	}
	s.Stat = f[len(f)-1]
	var err error
	if s.Limit, err = time.ParseDuration(strings.TrimSpace(right)); err != nil {
		return s, fmt.Sprintf("%s is not a duration; write a number with us, ms or s, %s", quote(strings.TrimSpace(right)), sloLike)
	}
	return s, ""
}

func setSLO(d *draft, v value) (string, error) {
	text, err := v.word()
	if err != nil {
		return "", err
	}
	s, bad := parseSLO(text)
	if bad != "" {
		return "", v.errorf("%s", bad)
	}
	d.scenario.SLO = &s
	return s.String(), nil
}

func (s *SLO) check() *fault {
	if s == nil {
		return nil
	}
	if s.Stat != SLOMax && s.Stat != SLOMean {
		digits, isQuantile := strings.CutPrefix(s.Stat, "p")
		_, rest := splitNumber(digits)
		if q := s.Quantile(); !isQuantile || rest != "" || q < 0.5 || q > 0.9999 {
			return faultf("slo", "%s is not a statistic of response time; have p50 to p99.99, %s, %s", quote(s.Stat), SLOMax, SLOMean)
		}
	}
	return withinTime("slo", s.Limit)
}

// checkSLO says where the operation that the bound is on does not occur.
func (s *Scenario) checkSLO() *fault {
	if s.SLO == nil {
		return nil
	}
	for _, p := range s.Points {
		if p.Load.RateTo > 0 {
			return faultf("slo", "has no meaning with rate_to: what is searched for is one rate")
		}
		if len(p.Groups)+len(p.Phases) > 0 {
			return faultf("slo", "has no meaning with groups or phases: one load is made heavier until it is not met")
		}
		if s.SLO.Op == "" {
			continue
		}
		if !slices.ContainsFunc(p.Workload.Mix, func(m OpShare) bool { return m.Op == s.SLO.Op }) {
			return faultf("slo", "there is no %s in the mix", strings.ToLower(s.SLO.Op))
		}
	}
	return nil
}
