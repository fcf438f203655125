package results

import (
	"bytes"
	"encoding/csv"
	"errors"
	"reflect"
	"slices"
	"testing"
)

func TestCSVGolden(t *testing.T) {
	root := t.TempDir()
	w := writeRun(t, root)
	must(t, w.Finish(Complete, nil))
	r, err := OpenIn(root, w.ID())
	must(t, err)
	var b bytes.Buffer
	must(t, ExportCSV(&b, r))
	golden(t, "slices.csv", anonymous(b.Bytes(), w))
	b.Reset()
	must(t, ExportTrialsCSV(&b, r))
	golden(t, "blocks.csv", anonymous(b.Bytes(), w))
}

// Every scalar of Slice, wherever it is nested, has a column of its own that follows it.
func TestCSVHasEveryField(t *testing.T) {
	base := Run{Slices: []Slice{{Arm: "a", Ops: map[string]uint64{"GET": 1}}}}
	header, before := oneRow(t, &base)
	if len(slices.Compact(slices.Sorted(slices.Values(header)))) != len(header) {
		t.Errorf("a column's name occurs twice: %v", header)
	}
	changed := make([]int, len(header))
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		for i := range v.NumField() {
			f := v.Field(i)
			old := reflect.ValueOf(f.Interface())
			switch f.Kind() {
			case reflect.Struct:
				walk(f)
				continue
			case reflect.Map:
				f.Set(reflect.ValueOf(map[string]uint64{"GET": 2}))
			case reflect.String:
				f.SetString("other")
			case reflect.Bool:
				f.SetBool(true)
			case reflect.Float64:
				f.SetFloat(0.5)
			case reflect.Uint64:
				f.SetUint(77)
			default:
				f.SetInt(77)
			}
			_, after := oneRow(t, &base)
			n := 0
			for c := range after {
				if after[c] != before[c] {
					changed[c]++
					n++
				}
			}
			if n != 1 {
				t.Errorf("field %s changes %d columns", v.Type().Field(i).Name, n)
			}
			f.Set(old)
		}
	}
	walk(reflect.ValueOf(&base.Slices[0]).Elem())
	for c, n := range changed[1:] {
		if n != 1 {
			t.Errorf("column %s follows %d fields", header[1+c], n)
		}
	}
}

func oneRow(t *testing.T, r *Run) (header, row []string) {
	t.Helper()
	var b bytes.Buffer
	must(t, ExportCSV(&b, r))
	rows, err := csv.NewReader(&b).ReadAll()
	must(t, err)
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	return rows[0], rows[1]
}

func TestTrialsCSVKeepsABrokenOffBlock(t *testing.T) {
	r := Run{Slices: []Slice{testSlice("", "a", 0, 0), testSlice("", "a", 1, 0)},
		Trials: []Trial{{Arm: "a", Block: 0, PID: 7}, {Arm: "b", Block: 1, PID: 8}}}
	var b bytes.Buffer
	must(t, ExportTrialsCSV(&b, &r))
	rows, err := csv.NewReader(&b).ReadAll() // every row as wide as the header
	must(t, err)
	pid, ops := slices.Index(rows[0], "pid"), slices.Index(rows[0], "ops")
	var got [][2]string
	for _, row := range rows[1:] {
		got = append(got, [2]string{row[pid], row[ops]})
	}
	if want := [][2]string{{"7", "10000"}, {"", "20000"}, {"8", "0"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

type fullDisk struct{}

var errFull = errors.New("no space")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestExportsReportWriteErrors(t *testing.T) {
	r := Run{Slices: []Slice{testSlice("", "a", 0, 0)}, Trials: []Trial{{Arm: "a"}}}
	if err := ExportCSV(fullDisk{}, &r); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
	if err := ExportTrialsCSV(fullDisk{}, &r); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
	if err := WriteBench(fullDisk{}, &r); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}
