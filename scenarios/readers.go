package scenarios

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// operations a mix may name, in the order in which Workload.Mix has them.
var operations = []string{"get", "set", "del", "incr", "mget", "mset", "setex", "expire", "decr", "exists", "rmw"}

// Readers: each stores one kind of value through a pointer into the draft.

func text(to func(*draft) *string) func(*draft, value) (string, error) {
	return func(d *draft, v value) (string, error) {
		s, err := v.word()
		*to(d) = s
		return s, err
	}
}

// word is a text that may not be empty.
func word(to func(*draft) *string) func(*draft, value) (string, error) {
	return func(d *draft, v value) (string, error) {
		s, err := v.word()
		if err == nil && s == "" {
			err = v.errorf("is empty; write a value or leave the key out")
		}
		*to(d) = s
		return s, err
	}
}

func boolean(to func(*draft) *bool) func(*draft, value) (string, error) {
	return func(d *draft, v value) (string, error) {
		yes, err := v.yes()
		*to(d) = yes
		return strconv.FormatBool(yes), err
	}
}

func count(to func(*draft) *int) func(*draft, value) (string, error) {
	return func(d *draft, v value) (string, error) {
		n, err := v.count()
		*to(d) = int(n)
		return v.inRange(n, err)
	}
}

func size(to func(*draft) *int) func(*draft, value) (string, error) {
	return func(d *draft, v value) (string, error) {
		n, err := v.size()
		*to(d) = int(n)
		return v.inRange(n, err)
	}
}

func rate(to func(*draft) *float64) func(*draft, value) (string, error) {
	return func(d *draft, v value) (string, error) {
		n, err := v.count()
		*to(d) = float64(n)
		return v.inRange(n, err)
	}
}

// inRange checks a whole number that a file gives against the range of its key, and returns it as labels have it. The
// rules check again, but they cannot tell a written 0 from a setting left at its default.
func (v value) inRange(n int64, err error) (string, error) {
	if l, ok := limits[v.name]; ok && err == nil && !l.holds(n) {
		err = v.errorf("%d is out of range: %s", n, l)
	}
	return strconv.FormatInt(n, 10), err
}

func number(to func(*draft) *float64) func(*draft, value) (string, error) {
	return func(d *draft, v value) (string, error) {
		x, err := v.number()
		*to(d) = x
		return strconv.FormatFloat(x, 'g', -1, 64), err
	}
}

func duration(to func(*draft) *time.Duration) func(*draft, value) (string, error) {
	return func(d *draft, v value) (string, error) {
		x, err := v.duration()
		*to(d) = x
		return x.String(), err
	}
}

func setSeed(d *draft, v value) (string, error) {
	text, err := v.word()
	if err != nil {
		return "", err
	}
	if d.scenario.Seed, err = strconv.ParseUint(text, 10, 64); err != nil {
		return "", v.errorf("%s is not a seed; write a whole number from 0 to 2^64-1", quote(text))
	}
	return text, nil
}

// setMix stores shares of 1, so that 9 to 1 and 90 to 10 are the same mix.
func setMix(d *draft, v value) (string, error) {
	const like = "as in {get: 90, set: 10}"
	if v.kind != table {
		return "", v.errorf("wants weights, %s, not %s", like, v.kind)
	}
	weights, sum := map[string]float64{}, 0.0
	for _, row := range v.rows {
		isCommand := strings.ContainsAny(row.key, " \t")
		if bad := checkCommand(row.key); isCommand && bad != "" {
			return "", value{at: row.at, name: v.name}.errorf("%s", bad)
		}
		if !isCommand && !slices.Contains(operations, row.key) {
			return "", value{at: row.at, name: v.name}.errorf("%s", unknown("operation", row.key, operations))
		}
		w, err := row.val.number()
		if err != nil {
			return "", err
		}
		if w > maxWeight {
			return "", row.val.errorf("%s is out of range: 0 to %d", quote(row.val.text), maxWeight)
		}
		weights[row.key] = w
		sum += w
	}
	if len(v.rows) == 0 {
		return "", v.errorf("names no operation; give weights, %s", like)
	}
	if sum == 0 {
		return "", v.errorf("the weights sum to 0; give at least one operation a share, %s", like)
	}
	d.point.Workload.Mix = nil
	add := func(op string, weight float64) {
		if share := weight / sum; share > 0 {
			d.point.Workload.Mix = append(d.point.Workload.Mix, OpShare{op, share})
		}
	}
	for _, op := range operations {
		add(strings.ToUpper(op), weights[op])
	}
	for _, row := range v.rows { // commands in the order of the file
		if !slices.Contains(operations, row.key) {
			add(row.key, weights[row.key])
		}
	}
	return "", nil
}

const maxWeight = 1_000_000

// setValueRandom leaves the field empty where all bytes are random.
func setValueRandom(d *draft, v value) (string, error) {
	text, err := number(func(d *draft) *float64 { return &d.point.Workload.ValueRandom })(d, v)
	switch x := &d.point.Workload.ValueRandom; {
	case err == nil && !(*x > 0 && *x <= 1):
		return "", v.errorf("%s is out of range: above 0, up to 1", v.text)
	case *x == 1:
		*x = 0
	}
	return text, err
}

func setExpectedMisses(d *draft, v value) (string, error) {
	x := new(float64)
	d.point.Workload.ExpectedMisses = x
	text, err := number(func(*draft) *float64 { return x })(d, v)
	if err == nil && !(*x >= 0 && *x <= 1) {
		return "", v.errorf("%s is out of range: 0 to 1", v.text)
	}
	return text, err
}

func setCrossShare(d *draft, v value) (string, error) {
	x := new(float64)
	d.point.Workload.CrossShare = x
	return number(func(*draft) *float64 { return x })(d, v)
}

// setProtocol leaves the field empty for RESP: what was resolved before there was another means the same.
func setProtocol(d *draft, v value) (string, error) {
	s, err := word(func(d *draft) *string { return &d.point.Load.Protocol })(d, v)
	if s == RESP {
		d.point.Load.Protocol = ""
	}
	return s, err
}

// setVia leaves the field empty for sockets, likewise.
func setVia(d *draft, v value) (string, error) {
	s, err := word(func(d *draft) *string { return &d.point.Load.Via })(d, v)
	if s == Socket {
		d.point.Load.Via = ""
	}
	return s, err
}

// setTopology takes YAML's null for the topology of that name: nobody should have to know that it needs quotes.
func setTopology(d *draft, v value) (string, error) {
	if v.kind == null && v.text == "null" {
		v.kind = scalar
	}
	return word(func(d *draft) *string { return &d.arm.Topology })(d, v)
}

func setCommand(d *draft, v value) (string, error) {
	if v.kind != list {
		return "", v.errorf("wants a list of the program and its arguments, as in [redis-server, --port, %q], not %s",
			portMark, v.kind)
	}
	if len(v.list) == 0 {
		return "", v.errorf("the list is empty; write the program and its arguments")
	}
	d.arm.Command = nil
	for _, x := range v.list {
		if x.kind == table && len(x.rows) == 1 {
			mark := "{" + x.rows[0].key + "}"
			return "", x.errorf("%s without quotes is a table in YAML; write %q", mark, mark)
		}
		word, err := x.word()
		if err != nil {
			return "", err
		}
		d.arm.Command = append(d.arm.Command, word)
	}
	return strings.Join(d.arm.Command, " "), nil
}

func setSlices(d *draft, v value) (string, error) {
	if v.kind == scalar && v.text == longSlices {
		d.scenario.Run.Long, d.scenario.Run.SlicesPerBlock = true, 1
		return longSlices, nil
	}
	if v.kind == scalar {
		if _, err := time.ParseDuration(v.text); err != nil {
			return "", v.errorf("%s is neither a duration, as in 50ms, nor %s", quote(v.text), longSlices)
		}
	}
	return duration(func(d *draft) *time.Duration { return &d.scenario.Run.Slice })(d, v)
}

func setWarmup(d *draft, v value) (string, error) {
	d.scenario.Run.Warmup = 0
	if v.kind == scalar && v.text == autoWarmup {
		return autoWarmup, nil
	}
	if v.kind == scalar {
		if _, err := time.ParseDuration(v.text); err != nil {
			return "", v.errorf("%s is neither a duration, as in 300ms, nor %s", quote(v.text), autoWarmup)
		}
	}
	return duration(func(d *draft) *time.Duration { return &d.scenario.Run.Warmup })(d, v)
}

func setCeiling(d *draft, v value) (string, error) {
	s, err := word(func(d *draft) *string { return &d.scenario.Run.Ceiling })(d, v)
	if s == autoCeiling {
		d.scenario.Run.Ceiling = ""
	}
	return s, err
}

// setSampling leaves the field empty for what was so before there was another way.
func setSampling(d *draft, v value) (string, error) {
	s, err := word(func(d *draft) *string { return &d.scenario.Run.Sampling })(d, v)
	if s == evenSampling {
		d.scenario.Run.Sampling = ""
	}
	return s, err
}

func setCPUs(d *draft, v value) (string, error) {
	const like = `write auto, or CPU lists in quotes as in {server: "0-3,8", client: "4"}`
	to := &d.scenario.Run.CPUs
	*to = CPUs{}
	if v.kind == scalar && v.text == autoCPUs {
		return autoCPUs, nil
	}
	if v.kind != table {
		return "", v.errorf("wants the CPUs of both sides; %s", like)
	}
	for _, row := range v.rows {
		side := map[string]*string{"server": &to.Server, "client": &to.Client}[row.key]
		if side == nil {
			return "", value{at: row.at, name: v.name}.errorf("unknown key %s; %s", quote(row.key), like)
		}
		text, err := row.val.word()
		if err != nil {
			return "", err
		}
		cpus, err := ParseCPUs(text)
		if err != nil {
			return "", row.val.errorf("%w", err)
		}
		*side = FormatCPUs(cpus)
	}
	if to.Server == "" || to.Client == "" {
		return "", v.errorf("one side has none; %s", like)
	}
	return to.Server + "/" + to.Client, nil
}
