package scenarios

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Law is a distribution of whole numbers: sizes in bytes, or times to live in milliseconds. Every number from Min to Max is
// as likely as any other, unless it is lognormal, which Median and Sigma tell, or has Values with Weights.
type Law struct {
	Text    string    `json:"law"` // as written
	Min     int       `json:"min"`
	Max     int       `json:"max"`
	Median  float64   `json:"median,omitempty"`
	Sigma   float64   `json:"sigma,omitempty"`
	Values  []int     `json:"values,omitempty"`
	Weights []float64 `json:"weights,omitempty"`
}

// lawHelp is how to write a law.
const lawHelp = "one, or 64..1024, lognormal(median, sigma[, most]), weights(64: 9, 1KiB: 1), file(name); the middle two in quotes"

// law reads a law. one reads one of its numbers, which are within l.
func (v value) law(one func(value) (int64, error), l limit) (*Law, error) {
	text, err := v.word()
	if err != nil {
		return nil, err
	}
	r := lawReader{v, one, l}
	name, rest, called := strings.Cut(text, "(")
	if args, closed := strings.CutSuffix(rest, ")"); called && closed {
		switch strings.TrimSpace(name) {
		case "lognormal":
			return r.lognormal(text, strings.Split(args, ","))
		case "weights":
			return r.weights(text, strings.Split(args, ","), ":")
		case "file":
			return r.file(text, args)
		}
	}
	if called {
		return nil, v.errorf("%s is not a law; write %s", quote(text), lawHelp)
	}
	low, high, isRange := strings.Cut(text, "..")
	law := &Law{Text: text}
	if law.Min, err = r.number(low); err != nil {
		return nil, err
	}
	if law.Max = law.Min; isRange {
		if law.Max, err = r.number(high); err != nil {
			return nil, err
		}
	}
	if law.Max < law.Min {
		return nil, v.errorf("%s goes down; write the smaller number first", quote(text))
	}
	return law, nil
}

type lawReader struct {
	value
	one   func(value) (int64, error)
	limit limit
}

// number reads one number of the law, and holds it against the limit.
func (r lawReader) number(text string) (int, error) {
	x := value{at: r.at, name: r.name, text: strings.TrimSpace(text)}
	n, err := r.one(x)
	if err == nil && !r.limit.holds(n) {
		err = r.errorf("%s is out of range: %s", quote(x.text), r.limit)
	}
	return int(n), err
}

// lognormal reads the median, sigma, and perhaps the most. Without it the law is cut off at four sigmas.
func (r lawReader) lognormal(text string, args []string) (*Law, error) {
	if len(args) != 2 && len(args) != 3 {
		return nil, r.errorf("%s: write lognormal(median, sigma) or lognormal(median, sigma, most)", quote(text))
	}
	median, err := r.number(args[0])
	if err != nil {
		return nil, err
	}
	sigma, err := strconv.ParseFloat(strings.TrimSpace(args[1]), 64)
	if err != nil || !(sigma > 0 && sigma <= 10) {
		return nil, r.errorf("%s: sigma is a number above 0, up to 10", quote(text))
	}
	law := &Law{Text: text, Min: 1, Median: float64(median), Sigma: sigma}
	law.Max = int(min(math.Ceil(law.Median*math.Exp(4*sigma)), float64(r.limit.max)))
	if len(args) == 3 {
		if law.Max, err = r.number(args[2]); err != nil {
			return nil, err
		}
	}
	return law, nil
}

// weights reads numbers with their weights.
func (r lawReader) weights(text string, pairs []string, between string) (*Law, error) {
	law := &Law{Text: text}
	sum := 0.0
	for _, pair := range pairs {
		number, weight, ok := strings.Cut(strings.TrimSpace(pair), between)
		x, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
		if !ok || err != nil || !(x >= 0 && x <= maxWeight) {
			return nil, r.errorf("%s: %.40q is not a number with a weight from 0 to %d", quote(text), pair, maxWeight)
		}
		n, err := r.number(number)
		if err != nil {
			return nil, err
		}
		if sum += x; len(law.Values) == 0 {
			law.Min, law.Max = n, n
		}
		law.Min, law.Max = min(law.Min, n), max(law.Max, n)
		law.Values, law.Weights = append(law.Values, n), append(law.Weights, x)
	}
	if sum == 0 {
		return nil, r.errorf("%s: the weights sum to 0", quote(text))
	}
	return law, nil
}

// maxLawLines is how many numbers a file may have: they are part of the resolved scenario.
const maxLawLines = 10_000

// file reads a number and its weight from each line of a file. Empty lines and those that begin with # do not count.
func (r lawReader) file(text, path string) (*Law, error) {
	v := r.value
	v.text = strings.TrimSpace(path)
	data, _, err := v.dataFile()
	if err != nil {
		return nil, err
	}
	var pairs []string
	for line := range bytes.Lines(data) {
		if s := strings.Join(strings.Fields(string(line)), " "); s != "" && s[0] != '#' {
			pairs = append(pairs, s)
		}
	}
	if len(pairs) == 0 || len(pairs) > maxLawLines {
		return nil, r.errorf("%s has %d lines; use 1 to %d", quote(v.text), len(pairs), maxLawLines)
	}
	return r.weights(text, pairs, " ")
}

func (l *Law) String() string {
	if l == nil {
		return ""
	}
	return l.Text
}

// check holds a law against the limit of its key.
func (l *Law) check(key string) *fault {
	if l == nil {
		return nil
	}
	limit := limits[key]
	good := limit.holds(int64(l.Min)) && limit.holds(int64(l.Max)) && l.Min <= l.Max && len(l.Values) == len(l.Weights) &&
		!math.IsNaN(l.Median) && !math.IsNaN(l.Sigma)
	if !good {
		return faultf(key, "%d to %d is out of range: %s", l.Min, l.Max, limit)
	}
	return nil
}

// setValueSize leaves the law out where there is but one size: what was resolved before there were laws means the same.
func setValueSize(d *draft, v value) (string, error) {
	law, err := v.law(value.size, limits["value_size"])
	if err != nil {
		return "", err
	}
	w := &d.point.Workload
	w.ValueSize, w.ValueLaw = law.Max, law
	if law.Min == law.Max {
		w.ValueLaw = nil
		return strconv.Itoa(law.Max), nil
	}
	return law.Text, nil
}

// setKeySize reads the law of keys, likewise. What a lognormal law would make shorter than a key can be is as short as it can.
func setKeySize(d *draft, v value) (string, error) {
	law, err := v.law(value.size, limits["key_size"])
	if err != nil {
		return "", err
	}
	w := &d.point.Workload
	if law.Sigma > 0 {
		law.Min = min(w.leastKey(), law.Max)
	}
	w.KeySize, w.KeyLaw = law.Max, law
	if law.Min == law.Max {
		w.KeyLaw = nil
		return strconv.Itoa(law.Max), nil
	}
	return law.Text, nil
}

// leastKey is how short a key can be, in bytes.
func (w *Workload) leastKey() int { return len("k:") + len(strconv.Itoa(max(w.Keys-1, 0))) }

func setTTL(d *draft, v value) (string, error) {
	millis := func(v value) (int64, error) {
		t, err := v.duration()
		if err == nil && t%time.Millisecond != 0 {
			err = v.errorf("%s is not a whole number of milliseconds", quote(v.text))
		}
		return t.Milliseconds(), err
	}
	law, err := v.law(millis, limits["ttl"])
	if err != nil {
		return "", err
	}
	d.point.Workload.TTL = law
	return law.Text, nil
}

// asMillis writes a number of milliseconds as a duration.
func asMillis(n int64) string { return asDuration(n * int64(time.Millisecond)) }

// checkOps checks what the operations of the mix need, and what has no meaning without them.
func (w *Workload) checkOps() *fault {
	ttl, multi := w.wants()
	switch {
	case ttl && w.TTL == nil:
		return &fault{keys: []string{"ttl"}, near: "mix", text: "is missing; operations of the mix need one, as in ttl: 1m or ttl: 1s..60s"}
	case !ttl && w.TTL != nil:
		return faultf("ttl", "has no meaning without setex, expire or {ttl} in the mix")
	case !multi && w.KeysPerOp != 0:
		return faultf("keys_per_op", "has no meaning without mget or mset in the mix")
	case !multi && w.CrossShare != nil:
		return faultf("cross_share", "has no meaning without mget or mset in the mix")
	case multi && !limits["keys_per_op"].holds(int64(w.KeysPerOp)):
		return faultf("keys_per_op", "%d is out of range: %s", w.KeysPerOp, limits["keys_per_op"])
	case w.ValueRandom < 0 || w.ValueRandom > 1 || math.IsNaN(w.ValueRandom):
		return faultf("value_random", "%g is out of range: above 0, up to 1", w.ValueRandom)
	}
	if x := w.CrossShare; x != nil && (!(*x >= 0 && *x <= 1) || *x > 0 && w.KeysPerOp < 2) {
		return faultf("cross_share", "%g with keys_per_op: %d is out of range: 0 to 1, and 0 for one key", *x, w.KeysPerOp)
	}
	return first(w.KeyLaw.check("key_size"), w.ValueLaw.check("value_size"), w.TTL.check("ttl"))
}

func isMulti(op string) bool { return op == "MGET" || op == "MSET" }

// wants reports whether operations of the mix want a time to live, and whether some have several keys.
func (w *Workload) wants() (ttl, multi bool) {
	for _, m := range w.Mix {
		ttl = ttl || m.Op == "SETEX" || m.Op == "EXPIRE" || strings.Contains(m.Op, "{ttl}")
		multi = multi || isMulti(m.Op)
	}
	return ttl, multi
}

// complete fills in what is left out where the mix gives it a meaning, and drops what a preset has that the mix does not want.
func (w *Workload) complete(written func(key string) bool) {
	ttl, multi := w.wants()
	if !ttl && !written("ttl") {
		w.TTL = nil
	}
	switch {
	case multi && w.KeysPerOp == 0:
		w.KeysPerOp = 10
	case !multi && !written("keys_per_op"):
		w.KeysPerOp = 0
	}
	if (w.Distribution == HotShard || w.CrossShare != nil) && w.SkewShards == 0 {
		w.SkewShards = 16
	}
}

// checkCommand checks a command of a mix.
func checkCommand(text string) string {
	for _, step := range strings.Split(text, "; ") {
		if bad := checkStep(step); bad != "" {
			return bad
		}
	}
	return ""
}

func checkStep(text string) string {
	if strings.TrimSpace(text) == "" {
		return "a step without a word"
	}
	for i, word := range strings.Fields(text) {
		rest := strings.Replace(word, "{key}", "", 1)
		if word == "{value}" || word == "{ttl}" {
			rest = ""
		}
		bad := i == 0 && !wordPattern(word) || strings.ContainsAny(rest, "{}") || i == 0 && rest != word
		if bad {
			return fmt.Sprintf("%s in the command %s: write words, {key} alone or in one, and {value} and {ttl} alone",
				quote(word), quote(text))
		}
	}
	return ""
}

func wordPattern(s string) bool {
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}
