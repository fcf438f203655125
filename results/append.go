package results

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// appendFile is a file to which whole records are appended, each by one write(2): a killed process leaves every record
// but the last one whole. Not safe for concurrent use.
type appendFile struct {
	f    *os.File
	size int64 // of the whole records
	err  error // a record is torn and could not be taken back
}

func openAppend(name string) (*appendFile, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &appendFile{f: f, size: info.Size()}, nil
}

// append writes one record. Where the disk takes only a part of it, that part is taken back, because a torn record in
// the middle of a file makes the file unreadable; the caller may go on once there is room.
func (a *appendFile) append(record []byte) error {
	if a.err != nil {
		return a.err
	}
	n, err := a.f.Write(record)
	if err == nil {
		a.size += int64(n)
		return nil
	}
	if n > 0 {
		if cut := a.f.Truncate(a.size); cut != nil {
			a.err = fmt.Errorf("%s: torn after byte %d: %w", filepath.Base(a.f.Name()), a.size, errors.Join(err, cut))
			return a.err
		}
	}
	return err
}

// close makes the records durable and gives the file back.
func (a *appendFile) close() error {
	return errors.Join(a.f.Sync(), a.f.Close())
}

// writeWhole replaces a file's content so that a reader sees the old or the new one, also after a crash of the
// machine.
func writeWhole(name string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
