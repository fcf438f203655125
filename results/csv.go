package results

import (
	"encoding/csv"
	"io"
	"reflect"
	"strconv"
	"strings"
)

// ExportCSV writes a row per slice, void ones included, in the order of trials.jsonl. The first column is the run's
// id; the others are Slice's fields by their JSON names, "lat_p50" for a field of "lat", and "ops_GET" for each
// operation type that the run has, by name. A quantile that is absent for want of samples is an empty cell, not 0.
func ExportCSV(w io.Writer, run *Run) error {
	return exportCSV(w, run.Manifest.ID, run.Slices, func(s *Slice) map[string]uint64 { return s.Ops })
}

// exportCSV writes a row per record, whose operations by type are ops.
func exportCSV[T any](w io.Writer, id string, records []T, ops func(*T) map[string]uint64) error {
	types := map[string]bool{}
	for i := range records {
		for t := range ops(&records[i]) {
			types[t] = true
		}
	}
	cols := flatten(reflect.TypeFor[T](), sortedKeys(types))
	cw := csv.NewWriter(w)
	row := make([]string, 1+len(cols))
	row[0] = "run"
	for i, c := range cols {
		row[1+i] = c.name
	}
	if err := cw.Write(row); err != nil {
		return err
	}
	row[0] = id
	for i := range records {
		v := reflect.ValueOf(&records[i]).Elem()
		for j, c := range cols {
			row[1+j] = c.text(v)
		}
		if err := cw.Write(row); err != nil {
			return err
		}
	}
	cw.Flush()
	return cw.Error()
}

// ExportTrialsCSV writes a row per point, arm and block, in the order in which the blocks began: sums over its valid
// slices (times in nanoseconds, rates of Slice.Replies) and then Trial's fields by their JSON names. Where a block has
// no Trial because the run broke off, those cells are empty.
func ExportTrialsCSV(w io.Writer, run *Run) error {
	cols := flatten(reflect.TypeFor[Trial](), nil)
	trials := map[blockKey]*Trial{}
	sums := run.blocks()
	for i := range run.Trials {
		t := &run.Trials[i]
		k := blockKey{t.Point, t.Arm, t.Block}
		trials[k] = t
		sums.at(k) // also a block whose slices are all lost has its row
	}
	cw := csv.NewWriter(w)
	header := append([]string{"run", "point", "arm", "block"}, sumColumns...)
	for _, c := range cols[3:] { // those three are Trial's first fields
		header = append(header, c.name)
	}
	if err := cw.Write(header); err != nil {
		return err
	}
	for _, k := range sums.order {
		row := append([]string{run.Manifest.ID, k.point, k.arm, strconv.Itoa(k.block)}, sums.sums[k].cells()...)
		t := trials[k]
		for _, c := range cols[3:] {
			cell := ""
			if t != nil {
				cell = c.text(reflect.ValueOf(t).Elem())
			}
			row = append(row, cell)
		}
		if err := cw.Write(row); err != nil {
			return err
		}
	}
	cw.Flush()
	return cw.Error()
}

var sumColumns = []string{"slices", "valid_slices", "ops", "replies", "errors", "misses", "corrupt", "overflow",
	"dur_ns", "ops_per_s", "ns_per_op", "srv_cpu_ns_per_op", "cli_cpu_ns_per_op"}

// cells are in the order of sumColumns. A rate of nothing measured is empty.
func (b *blockSum) cells() []string {
	count := func(n uint64) string { return strconv.FormatUint(n, 10) }
	rate := func(v float64) string {
		if v == 0 {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return []string{strconv.Itoa(b.slices), strconv.Itoa(b.valid), count(b.ops), count(b.replies),
		count(b.errors), count(b.misses), count(b.corrupt), count(b.overflow), strconv.FormatInt(b.dur, 10),
		rate(b.opsPerSecond()), rate(b.perOp(b.dur)), rate(b.perOp(b.serverCPU)), rate(b.perOp(b.clientCPU))}
}

// column is one scalar of a record: the path to its field and, where that is a map, the key.
type column struct {
	name     string
	path     []int
	key      string
	quantile bool // 0 is absent
}

// flatten lists the scalars of a record in the order of its fields. Structs within are prefixed with their name; of a
// map there is a column per key. The schema is the only list of columns there is, so no field can be forgotten here.
func flatten(t reflect.Type, keys []string) []column {
	var cols []column
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch f.Type.Kind() {
		case reflect.Struct:
			for _, c := range flatten(f.Type, keys) {
				if !f.Anonymous {
					c.name = name + "_" + c.name
				}
				c.path = append([]int{i}, c.path...)
				cols = append(cols, c)
			}
		case reflect.Map:
			for _, k := range keys {
				cols = append(cols, column{name: name + "_" + k, path: []int{i}, key: k})
			}
		default:
			quantile := t == reflect.TypeFor[Latency]() && strings.HasPrefix(f.Name, "P")
			cols = append(cols, column{name: name, path: []int{i}, quantile: quantile})
		}
	}
	return cols
}

// text is the record's value in this column.
func (c *column) text(record reflect.Value) string {
	v := record.FieldByIndex(c.path)
	switch v.Kind() {
	case reflect.Map:
		if v = v.MapIndex(reflect.ValueOf(c.key)); !v.IsValid() {
			return "0" // none of this type completed
		}
		return strconv.FormatUint(v.Uint(), 10)
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10)
	default: // the schema has no other kinds than signed integers; Int panics if it ever gets one
		if c.quantile && v.Int() == 0 {
			return ""
		}
		return strconv.FormatInt(v.Int(), 10)
	}
}
