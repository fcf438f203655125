package loadgen

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow bounds what a zstd file makes its reader allocate: as much as the zstd program takes without --long.
const maxZstdWindow = 128 << 20

// unpacked is the text of a file that may be compressed.
type unpacked struct {
	io.Reader
	with  string // what it is compressed with, for errors; "" where it is not
	close func()
}

// unpack tells by a file's first bytes whether it is compressed, with gzip or zstd. Nothing runs beside the one who reads.
func unpack(r io.Reader) (*unpacked, error) {
	in := bufio.NewReaderSize(r, 1<<20)
	magic, _ := in.Peek(4) // what is shorter, or cannot be read, shows when it is read
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("compressed with gzip: %w", err)
		}
		return &unpacked{z, "gzip", func() {}}, nil
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}),
		len(magic) == 4 && magic[0]>>4 == 5 && bytes.Equal(magic[1:], []byte{0x2a, 0x4d, 0x18}): // a frame of data, or one to be skipped
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, fmt.Errorf("compressed with zstd: %w", err)
		}
		return &unpacked{z, "zstd", z.Close}, nil
	}
	return &unpacked{in, "", func() {}}, nil
}

// Read implements io.Reader.
func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if err != nil && err != io.EOF && u.with != "" {
		err = fmt.Errorf("what follows cannot be unpacked with %s: %w", u.with, err)
	}
	return n, err
}
