package results

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestAppendTakesBackATornRecord(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	a, err := openAppend(name)
	must(t, err)
	must(t, a.append([]byte("one\n")))

	// A limit of file size makes the kernel take a part of a record, as a full disk does.
	var old syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old))
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 6, Max: old.Max}))
	err = a.append([]byte("two two two\n"))
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old))
	if !errors.Is(err, syscall.EFBIG) {
		t.Fatalf("got %v, want %v", err, syscall.EFBIG)
	}

	must(t, a.append([]byte("three\n")))
	must(t, a.close())
	got, err := os.ReadFile(name)
	must(t, err)
	if string(got) != "one\nthree\n" {
		t.Errorf("got %q", got)
	}
}

func TestWriteWholeLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	for _, text := range []string{"a long first version", "second"} {
		must(t, writeWhole(name, []byte(text)))
		got, err := os.ReadFile(name)
		must(t, err)
		if string(got) != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
	if err := writeWhole(filepath.Join(dir, "missing", "f"), nil); err == nil {
		t.Error("wrote into a folder that is not there")
	}
	must(t, os.Mkdir(filepath.Join(dir, "taken"), 0o755))
	if err := writeWhole(filepath.Join(dir, "taken"), nil); err == nil {
		t.Error("replaced a folder")
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	if len(entries) != 2 {
		t.Errorf("temporary files are left: %v", entries)
	}
}
