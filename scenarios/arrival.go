package scenarios

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Laws of arrival, for LoadPlan.Arrival.
const (
	Poisson    = "poisson"
	Evenly     = "uniform"
	Bursts     = "bursts"
	Timestamps = "file"
	Traced     = "trace"
)

var arrivals = []Info{
	{Poisson, "independent random gaps, as of many users"},
	{Evenly, "equal gaps over all connections together"},
	{Bursts, "random gaps at two rates in turn, rate being that of both together"},
	{Timestamps, "at the times in a file"},
	{Traced, "at those of workload.trace, whose order alone any other law keeps"},
}

// Bounds of arrival_speed.
const (
	minSpeed = 1e-4
	maxSpeed = 1e4
)

// timeUnits are those a file's times may be in, with how many decimals make a nanosecond.
var timeUnits = map[string]int{"s": 9, "ms": 6, "us": 3, "ns": 0}

// setRate refuses a rate where a file has it.
func setRate(d *draft, v value) (string, error) {
	if a := d.point.Load.Arrival; a == Timestamps || a == Traced {
		return "", v.errorf("has no meaning with arrival: %s, whose times say it; see arrival_speed", a)
	}
	return rate(func(d *draft) *float64 { return &d.point.Load.Rate })(d, v)
}

// setArrivalFile reads the times of a file. The rate is that of the file, at the speed it is read at.
func setArrivalFile(d *draft, v value) (string, error) {
	data, sum, err := v.dataFile()
	if err != nil {
		return "", err
	}
	l := &d.point.Load
	if l.ArrivalTimes, err = readTimes(data, l.ArrivalColumn, timeUnits[l.ArrivalUnit]); err != nil {
		return "", v.errorf("%s, %w", v.text, err)
	}
	l.ArrivalFile = sum
	n := len(l.ArrivalTimes)
	l.Rate = float64(n-1) / float64(l.ArrivalTimes[n-1]) * 1e9 * l.ArrivalSpeed
	return v.text, nil
}

// readTimes reads a time from each line: the first field, or that of the named column of a CSV file with a header. They are
// returned in ns, counted from the first.
func readTimes(data []byte, column string, decimals int) ([]int64, error) {
	r := csv.NewReader(bytes.NewReader(data))
	r.ReuseRecord, r.Comment, r.FieldsPerRecord, r.TrimLeadingSpace = true, '#', -1, true
	field := 0
	if column != "" {
		head, err := r.Read()
		if err != nil {
			return nil, errors.New("which has no header")
		}
		if field = slices.IndexFunc(head, func(s string) bool { return strings.TrimSpace(s) == column }); field < 0 {
			return nil, fmt.Errorf("line 1: no column %s; have %.200s", quote(column), strings.Join(head, ", "))
		}
	}
	var times []int64
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if broken := (*csv.ParseError)(nil); errors.As(err, &broken) {
			return nil, fmt.Errorf("line %d: not CSV: %w", broken.Line, broken.Err)
		}
		line, _ := r.FieldPos(0)
		if field >= len(row) {
			return nil, fmt.Errorf("line %d: has no column %s", line, quote(column))
		}
		t, ok := parseTime(strings.TrimSpace(row[field]), decimals)
		if !ok {
			return nil, fmt.Errorf("line %d: %.40q is not a time; write a number from 0", line, row[field])
		}
		if n := len(times); n > 0 && t < times[n-1] {
			return nil, fmt.Errorf("line %d: %.40s is before the time on the line before; sort the file", line, row[field])
		}
		times = append(times, t)
	}
	if n := len(times); n < 2 || times[0] == times[n-1] {
		return nil, errors.New("which has not two different times")
	}
	first := times[0]
	for i := range times {
		times[i] -= first
	}
	return times, nil
}

// parseTime reads a decimal number of a unit, exactly: a float64 would keep only 0.2 µs of the seconds since 1970. What is
// below a nanosecond is dropped.
func parseTime(s string, decimals int) (int64, bool) {
	whole, part, dot := strings.Cut(s, ".")
	if dot && part == "" || strings.ContainsFunc(part, func(r rune) bool { return r < '0' || r > '9' }) {
		return 0, false
	}
	part = (part + "000000000")[:decimals]
	t, err := strconv.ParseUint(whole+part, 10, 63)
	return int64(t), err == nil && whole != ""
}

// setArrivalUnit knows the units.
func setArrivalUnit(d *draft, v value) (string, error) {
	s, err := word(func(d *draft) *string { return &d.point.Load.ArrivalUnit })(d, v)
	if _, ok := timeUnits[s]; err == nil && !ok {
		err = v.errorf("%s", unknown("unit", s, []string{"s", "ms", "us", "ns"}))
	}
	return s, err
}

// checkArrival checks the law of arrivals, and that the keys of others are not there.
func (l *LoadPlan) checkArrival() *fault {
	if f := oneOf("arrival", "arrival law", l.Arrival, names(arrivals)); f != nil {
		return f
	}
	file := l.Arrival == Timestamps
	switch {
	case l.Arrival == Bursts:
		return l.checkBursts()
	case l.BurstOn != 0 || l.BurstOff != 0 || l.BurstShare != 0:
		return &fault{keys: []string{"burst_on", "burst_off", "burst_share"},
			text: fmt.Sprintf("has no meaning with arrival: %s; it needs arrival: bursts", l.Arrival)}
	case (file || l.Arrival == Traced) && !(l.ArrivalSpeed >= minSpeed && l.ArrivalSpeed <= maxSpeed):
		return faultf("arrival_speed", "%g is out of range: %g to %g", l.ArrivalSpeed, minSpeed, maxSpeed)
	case l.ArrivalSpeed != 0 && !file && l.Arrival != Traced:
		return faultf("arrival_speed", "has no meaning with arrival: %s; it needs arrival: file or trace", l.Arrival)
	case !file && (l.ArrivalFile != "" || l.ArrivalColumn != "" || l.ArrivalUnit != ""):
		return &fault{keys: []string{"arrival_file", "arrival_column", "arrival_unit"},
			text: fmt.Sprintf("has no meaning with arrival: %s; it needs arrival: file", l.Arrival)}
	}
	return nil
}

func (l *LoadPlan) checkBursts() *fault {
	if f := first(withinTime("burst_on", l.BurstOn), withinTime("burst_off", l.BurstOff)); f != nil {
		return f
	}
	cycle := l.BurstOn + l.BurstOff
	inTime := float64(l.BurstOn) / float64(cycle)
	switch {
	case !(l.BurstShare >= inTime && l.BurstShare <= 1):
		return faultf("burst_share", "%g in bursts that take %.3g of the time; use that to 1", l.BurstShare, inTime)
	case l.Rate*cycle.Seconds() < 1e-3:
		return faultf("burst_on", "bursts every %v would be empty at %g/s; use longer ones", cycle, l.Rate)
	}
	return nil
}

// LawText says what law the arrivals have, "" in a closed loop.
func (l *LoadPlan) LawText() string {
	switch l.Arrival {
	case Bursts:
		return fmt.Sprintf("bursts(%s on, %s off, share %g)", asDuration(int64(l.BurstOn)), asDuration(int64(l.BurstOff)),
			l.BurstShare)
	case Timestamps:
		return fmt.Sprintf("file(%.12s at speed %g)", l.ArrivalFile, l.ArrivalSpeed)
	case Traced:
		return fmt.Sprintf("trace(at speed %g)", l.ArrivalSpeed)
	}
	return l.Arrival + l.shapeText()
}

var burstLimit = limit{int64(time.Microsecond), int64(24 * time.Hour), asDuration}
