package scenarios

import (
	"strconv"
	"strings"
	"time"
)

// Ranges that the limits table does not hold.
const (
	MaxPoints = 200 // of one scenario
	MaxArms   = 32
	MaxZipf   = 10.0
	MaxDrift  = 1000.0
)

// limit is the range of a whole number; a duration's is in nanoseconds.
type limit struct {
	min, max int64
	as       func(int64) string
}

func (l limit) holds(n int64) bool { return l.min <= n && n <= l.max }
func (l limit) String() string     { return l.as(l.min) + " to " + l.as(l.max) }

func asCount(n int64) string { return inUnits(n, countUnits) }
func asSize(n int64) string  { return inUnits(n, sizeUnits) }

// asDuration drops the zero units that time.Duration shows: 10m and 24h, not 10m0s and 24h0m0s.
func asDuration(n int64) string {
	s := time.Duration(n).String()
	for _, x := range [][2]string{{"m0s", "m"}, {"h0m", "h"}} {
		if d, ok := strings.CutSuffix(s, x[0]); ok {
			s = d + x[1]
		}
	}
	if d, ok := strings.CutSuffix(s, "h0m"); ok {
		s = d + "h"
	}
	return s
}

// limits has the keys whose values are whole numbers or durations. They keep nonsense out, not ambition: connections
// stay below the ports of one loopback address, shards and workers within what a topology can be asked for, and a
// pipeline within what a connection may have in flight.
var limits = map[string]limit{
	"keys":             {1, 1e9, asCount},
	"key_size":         {3, 64 << 10, asSize},
	"value_size":       {1, 16 << 20, asSize},
	"keys_per_op":      {1, 1024, asPlain},
	"ttl":              {1, 365 * 24 * 3600 * 1000, asMillis},
	"hot_period":       {1, 1e9, asCount},
	"hot_shard":        {0, 1<<14 - 1, asPlain},
	"skew_shards":      {2, 1 << 14, asPlain},
	"connections":      {1, 20e3, asCount},
	"pipeline":         {1, 1024, asPlain},
	"slo":              {int64(time.Microsecond), int64(time.Minute), asDuration},
	"rate":             {1, 100e6, asCount},
	"rate_to":          {1, 100e6, asCount},
	"churn":            {0, 20e3, asCount},
	"for":              {int64(5 * time.Millisecond), int64(24 * time.Hour), asDuration},
	"timeout":          {0, int64(time.Minute), asDuration},
	"spin":             {0, int64(time.Second), asDuration},
	"burst_on":         burstLimit,
	"burst_off":        burstLimit,
	"shards":           {1, 1 << 14, asPlain},
	"workers":          {1, 1 << 10, asPlain},
	"max_memory":       {1, 1 << 40, asSize},
	"blocks":           {1, 1000, asPlain},
	"slices":           {int64(5 * time.Millisecond), int64(time.Minute), asDuration},
	"long_slice":       {int64(5 * time.Millisecond), int64(24 * time.Hour), asDuration},
	"slices_per_block": {1, 10e3, asCount},
	"lead_in":          {0, int64(10 * time.Second), asDuration},
	"warmup":           {0, int64(10 * time.Minute), asDuration},
	"warmup_max":       {int64(400 * time.Millisecond), int64(10 * time.Minute), asDuration},
}

func asPlain(n int64) string { return strconv.FormatInt(n, 10) }
