package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxSocketPath is the longest path that a unix socket may have (sun_path of unix(7), without its final zero).
const maxSocketPath = 107

// sockFile is the file of a unix socket that we have made.
type sockFile struct {
	path string
	info os.FileInfo
}

// listenUnix binds a unix socket. It replaces a socket file that nobody serves, and nothing else.
func listenUnix(path string) (*net.UnixListener, *sockFile, error) {
	addr := &net.UnixAddr{Name: path, Net: "unix"}
	if strings.HasPrefix(path, "@") { // an abstract socket has no file
		ln, err := net.ListenUnix("unix", addr)
		return ln, nil, err
	}
	if path == "" || len(path) > maxSocketPath {
		return nil, nil, fmt.Errorf("listen unix %s: a path of %d bytes; a socket's may have 1 to %d", path, len(path), maxSocketPath)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, nil, fmt.Errorf("listen unix %s: %w", path, err)
	}
	unlock, err := lockDir(path)
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	ln, err := net.ListenUnix("unix", addr)
	if errors.Is(err, unix.EADDRINUSE) {
		if err = removeStale(path); err != nil {
			return nil, nil, err
		}
		ln, err = net.ListenUnix("unix", addr)
	}
	if err != nil {
		return nil, nil, err
	}
	ln.SetUnlinkOnClose(false)
	info, err := os.Lstat(path)
	if err != nil {
		ln.Close()
		return nil, nil, err
	}
	return ln, &sockFile{path, info}, nil
}

// removeStale removes a socket file at which nobody accepts. The kernel says so: a connection is refused.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("listen unix %s: a file that is not a socket is in the way; choose another path", path)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	switch err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err {
	case unix.ECONNREFUSED:
		return os.Remove(path)
	case unix.ENOENT:
		return nil
	case nil, unix.EAGAIN: // EAGAIN: somebody listens, and many wait
		return fmt.Errorf("listen unix %s: another server is serving there; stop it or choose another path", path)
	default:
		return fmt.Errorf("listen unix %s: a socket is in the way, and asking whether it is served: %w", path, err)
	}
}

// remove removes the file if it is still the one we have made. The socket must still be open: it keeps the inode, which
// could otherwise be another file's by now. A nil file is none.
func (f *sockFile) remove() {
	if f == nil {
		return
	}
	unlock, err := lockDir(f.path)
	if err != nil {
		return // the directory is gone, and the file with it
	}
	defer unlock()
	if info, err := os.Lstat(f.path); err == nil && os.SameFile(info, f.info) {
		os.Remove(f.path)
	}
}

// lockDir locks the directory of path against other servers: of two that find the same stale file, the second would remove
// what the first has just put in its place.
func lockDir(path string) (unlock func(), err error) {
	dir := filepath.Dir(path)
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	for {
		err = unix.Flock(fd, unix.LOCK_EX)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		unix.Close(fd)
		return nil, &os.PathError{Op: "lock", Path: dir, Err: err}
	}
	return func() { unix.Close(fd) }, nil
}
