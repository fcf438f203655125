package results

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// readSlices reads as Open does.
func readSlices(text string) ([]Slice, error) {
	var all []Slice
	err := readLines(strings.NewReader(text), "f", func(s Slice) error {
		if err := checkSlice(&s); err != nil {
			return err
		}
		all = append(all, s)
		return nil
	})
	return all, err
}

func TestReadLines(t *testing.T) {
	check := func(name, text string, want int, wantErr string) {
		t.Helper()
		got, err := readSlices(text)
		if len(got) != want || (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
			t.Errorf("%s: got %d slices and %v, want %d and %q", name, len(got), err, want, wantErr)
		}
	}
	const good = `{"arm":"a"}` + "\n"
	check("nothing", "", 0, "")
	check("three", good+good+good, 3, "")
	check("blank lines", "\n"+good+"\n \n"+good, 2, "")
	check("a last line without end that is whole", good+`{"arm":"a"}`, 2, "")
	check("torn last line", good+good+`{"arm":"a","blo`, 2, "f:3: the last line is torn")
	check("torn after a number's first digits", good+`{"arm":"a","block":1`, 1, "torn")
	check("zeros after a power cut", good+"\x00\x00\x00", 1, "torn")
	check("torn only line", `{`, 0, "f:1: the last line is torn")
	check("torn in the middle", good+`{"arm":"a","blo`+"\n"+good, 1, "f:2: ")
	check("two lines run into one", good+`{"arm":"a","b{"arm":"a"}`+"\n"+good, 1, "f:2: ")
	check("damage in a finished last line", good+"{\n", 1, "f:2: ")
	check("a line of another file", good+`{"goroutines":10}`+"\n", 1, "f:2: a slice without an arm")
	check("not an object", good+"null\n", 1, "f:2: ")
	check("wrong type", good+`{"arm":7}`+"\n", 1, "f:2: ")
	check("fields of a later version", `{"arm":"a","later":[{}]}`+"\n", 1, "")
	check("no record", strings.Repeat("x", maxLine+1), 0, "f:1: a line longer than 16 MiB")
}

func TestTornIsTold(t *testing.T) {
	_, err := readSlices(`{"arm":"a"}` + "\n{")
	if torn := (*tornError)(nil); !errors.As(err, &torn) || torn.line != 2 {
		t.Errorf("got %v", err)
	}
	_, err = readSlices("{\n{")
	if torn := (*tornError)(nil); errors.As(err, &torn) {
		t.Errorf("damage in the middle passes for a crash: %v", err)
	}
}

// Whatever the bytes, reading ends without panic; and what was read survives a crash at any later byte: cutting a good
// file anywhere loses at most one slice.
func FuzzReadSlices(f *testing.F) {
	var b bytes.Buffer
	for i := range 3 {
		s := testSlice("pipeline=1", "a", 0, i)
		if err := appendJSONLine(&b, &s); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(b.Bytes(), uint16(500))
	f.Add([]byte("{}\n"), uint16(1))
	f.Add([]byte(`{"arm":"a","ops":{"GET":18446744073709551615}}`+"\n\n{"), uint16(9))
	f.Add([]byte("\x00\xff\n"), uint16(0))
	f.Fuzz(func(t *testing.T, data []byte, at uint16) {
		all, err := readSlices(string(data))
		if torn := (*tornError)(nil); err != nil && !errors.As(err, &torn) {
			return
		}
		cut := min(int(at), len(data))
		part, err := readSlices(string(data[:cut]))
		if torn := (*tornError)(nil); err != nil && !errors.As(err, &torn) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if whole := bytes.Count(data[:cut], []byte("\n")); len(part) > whole+1 || len(part) > len(all) {
			t.Fatalf("cut at %d: %d slices of %d lines and of %d slices", cut, len(part), whole, len(all))
		}
		for i := range part {
			if !reflect.DeepEqual(part[i], all[i]) {
				t.Fatalf("cut at %d: slice %d is %+v, was %+v", cut, i, part[i], all[i])
			}
		}
	})
}
