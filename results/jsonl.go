package results

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds a line that is read. A slice takes about 1.2 kB.
const maxLine = 16 << 20

// appendJSONLine encodes v as one line. Encoding fails for values JSON has no words for, such as NaN.
func appendJSONLine(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false) // the files are for people and jq
	return enc.Encode(v)
}

// tornError is the one kind of damage that a crash explains: an unfinished record at the end of a file.
type tornError struct {
	file string
	line int
}

func (e *tornError) Error() string {
	return fmt.Sprintf("%s:%d: the last line is torn and was left out: the run was writing it, or died there",
		e.file, e.line)
}

// readLines decodes each line of r into a T and hands it to keep. The file's name is for messages. It returns
// *tornError after all whole lines where the last one has no end and does not decode; any other damage stops it.
func readLines[T any](r io.Reader, file string, keep func(T) error) error {
	br := bufio.NewReaderSize(r, 64<<10)
	for n := 1; ; n++ {
		line, whole, err := readLine(br)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", file, n, err)
		}
		if len(line) == 0 && !whole {
			return nil
		}
		if len(bytes.TrimSpace(line)) == 0 && whole {
			continue
		}
		var v T
		err = json.Unmarshal(line, &v)
		if err == nil {
			err = keep(v)
		}
		switch {
		case err == nil:
		case !whole:
			return &tornError{file, n}
		default:
			return fmt.Errorf("%s:%d: %w; delete the line to read the rest", file, n, err)
		}
	}
}

// readLine returns the next line without its end, and whether it had one. At the end of the file it returns nothing.
func readLine(br *bufio.Reader) (line []byte, whole bool, err error) {
	for {
		part, err := br.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, false, fmt.Errorf("a line longer than %d MiB; this is not a record of a run", maxLine>>20)
		case err == nil:
			return line[:len(line)-1], true, nil
		case errors.Is(err, io.EOF):
			return line, false, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, false, err
		}
	}
}
