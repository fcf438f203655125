package topologies_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"time"

	"github.com/shardlab/shardlab/topologies"
)

// A program keeps a store of its own and lets others reach it over the network.
func ExampleStore() {
	store, err := topologies.NewStore(topologies.StoreConfig{Shards: 8, MaxMemory: 64 << 20, MaxMemoryPolicy: "allkeys-lru"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	// The store's eight shards are served, whatever the config says of shards.
	server, err := topologies.Open(topologies.Config{Topology: "multi-direct", Bind: "127.0.0.1:0", Store: store})
	if err != nil {
		fmt.Println(err)
		return
	}

	store.Set([]byte("greeting"), []byte("hello"))
	fmt.Println(ask(server.Addr(), "GET greeting"))
	fmt.Println(ask(server.Addr(), "SET reply thanks"))

	server.Shutdown(context.Background())
	value, ok := store.Get(nil, []byte("reply")) // the store outlives the server
	fmt.Printf("%s %v, %d entries\n", value, ok, store.Len())
	// Output:
	// hello
	// +OK
	// thanks true, 2 entries
}

// A store without locks belongs to one thread, which works on it and serves it in turn.
func ExampleLocalStore() {
	local, err := topologies.NewLocalStore(topologies.StoreConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer local.Close()
	server, err := local.Open(topologies.Config{Bind: "127.0.0.1:0"})
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx, done := context.WithCancel(context.Background())
	go func() {
		defer done()
		fmt.Println(ask(server.Addr(), "INCR visits"))
		local.Post(func() { local.Set([]byte("visits"), []byte("41")) }) // another goroutine asks the owner
		fmt.Println(ask(server.Addr(), "INCR visits"))
	}()
	for ctx.Err() == nil {
		local.Turn(10 * time.Millisecond) // and then whatever else the program has to do
	}
	value, _ := local.Get(nil, []byte("visits"))
	fmt.Printf("%s\n", value)
	// Output:
	// :1
	// :42
	// 42
}

// The owner has nothing else to do, and serves until it is told to end.
func ExampleLocalStore_Serve() {
	local, err := topologies.NewLocalStore(topologies.StoreConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer local.Close()
	local.Set([]byte("greeting"), []byte("hello"))
	server, err := local.Open(topologies.Config{Bind: "127.0.0.1:0"})
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx, stop := context.WithCancel(context.Background())
	go func() {
		fmt.Println(ask(server.Addr(), "GETDEL greeting"))
		stop()
	}()
	local.Serve(ctx)
	server.Shutdown(context.Background())
	fmt.Println(local.Len(), "entries are left")
	// Output:
	// hello
	// 0 entries are left
}

// ask sends one command in the form that people type, and returns the reply's last line.
func ask(addr net.Addr, command string) string {
	c, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	fmt.Fprintf(c, "%s\r\n", command)
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		if lines.Text()[0] != '$' { // the length of what follows
			return lines.Text()
		}
	}
	return fmt.Sprint(lines.Err())
}
