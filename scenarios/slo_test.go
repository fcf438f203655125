package scenarios

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestSLO(t *testing.T) {
	check := func(text, canonical string, want SLO, quantile float64) {
		t.Helper()
		s := mustParse(t, "name: x\narms: [shared]\nslo: "+text+"\n")
		switch got := s.SLO; {
		case *got != want || got.String() != canonical:
			t.Errorf("%s is %+v, %q", text, *got, got.String())
		case math.Abs(got.Quantile()-quantile) > 1e-12:
			t.Errorf("%s: quantile %v", text, got.Quantile())
		}
	}
	check("p99 < 1ms", "p99 < 1ms", SLO{"", "p99", time.Millisecond}, 0.99)
	check("p99.99<500us", "p99.99 < 500µs", SLO{"", "p99.99", 500 * time.Microsecond}, 0.9999)
	check(`" get  p50  <  1s "`, "get p50 < 1s", SLO{"GET", "p50", time.Second}, 0.5)
	check("SET max < 1m", "set max < 1m0s", SLO{"SET", "max", time.Minute}, 0)
	check("mean < 80us", "mean < 80µs", SLO{"", "mean", 80 * time.Microsecond}, 0)
	check("p99 < 500µs", "p99 < 500µs", SLO{"", "p99", 500 * time.Microsecond}, 0.99)
	if s := mustParse(t, "name: x\narms: [shared]\n"); s.SLO != nil {
		t.Errorf("there is one unsaid: %v", s.SLO)
	}
	s, err := mustParse(t, "name: x\narms: [shared]\n").Override(Overrides{SLO: "get p90 < 2ms"})
	if err != nil || *s.SLO != (SLO{"GET", "p90", 2 * time.Millisecond}) {
		t.Errorf("overridden: %v, %v", s.SLO, err)
	}
	if err := s.Validate(registered); err != nil {
		t.Error(err)
	}
	s.SLO.Op = "INCR"
	if err := s.Validate(registered); err == nil {
		t.Error("a bound on an operation outside of the mix is valid")
	}
}

func TestSLOErrors(t *testing.T) {
	check := func(text, want string) {
		t.Helper()
		_, err := Parse("f", []byte("name: x\nslo: "+text+"\narms: [shared]\n"), registered)
		if err == nil || err.Error() != "f:2: slo: "+want {
			t.Errorf("%s: %v", text, err)
		}
	}
	const have = "; have p50 to p99.99, max, mean"
	check("fast", `"fast" is not a bound on response time; write one as in p99 < 1ms, or get p99.9 < 500us`)
	check("< 1ms", `"< 1ms" is not a bound on response time; write one as in p99 < 1ms, or get p99.9 < 500us`)
	check("p99 of get < 1ms", `"p99 of get < 1ms" is not a bound on response time; write one as in p99 < 1ms, or get p99.9 < 500us`)
	check("got p99 < 1ms", `unknown operation "got"; did you mean "get"? have `+strings.Join(operations, ", "))
	check("p99 < soon", `"soon" is not a duration; write a number with us, ms or s, as in p99 < 1ms, or get p99.9 < 500us`)
	check("p49 < 1ms", `"p49" is not a statistic of response time`+have)
	check("p99.999 < 1ms", `"p99.999" is not a statistic of response time`+have)
	check("pInf < 1ms", `"pInf" is not a statistic of response time`+have)
	check("min < 1ms", `"min" is not a statistic of response time`+have)
	check("p99 < 1ns", `1ns is out of range: 1µs to 1m`)
	check("p99 < 1h", `1h0m0s is out of range: 1µs to 1m`)
	check("incr p99 < 1ms", `there is no incr in the mix`)
	check("[p99 < 1ms, p50 < 1ms]", `wants one value; a list is a sweep, and this key cannot be swept`)
}
