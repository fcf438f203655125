package topologies

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Every command through go-redis' own methods, over both protocols, in every topology.
func TestGoRedisCommands(t *testing.T) {
	eachTopology(t, func(t *testing.T, in *Instance) {
		for _, protocol := range []int{2, 3} {
			rdb := redis.NewClient(&redis.Options{Addr: in.Addr().String(), Protocol: protocol})
			g := goRedis{t, t.Context(), rdb}
			for _, test := range []func(){g.strings, g.numbers, g.keys, g.expiry, g.keyspace, g.pipelines, g.transactions, g.server} {
				if err := rdb.FlushAll(g.ctx).Err(); err != nil {
					t.Fatal(err)
				}
				test()
			}
			if err := rdb.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

type goRedis struct {
	t   *testing.T
	ctx context.Context
	rdb *redis.Client
}

// is checks what a command says, errors included, as text.
func (g *goRedis) is(cmd redis.Cmder, want string) {
	g.t.Helper()
	got := cmd.String()
	_, said, _ := strings.Cut(got, ": ")
	if said != want {
		g.t.Errorf("%s; want %s", got, want)
	}
}

func (g *goRedis) strings() {
	r, ctx := g.rdb, g.ctx
	g.is(r.Set(ctx, "s", "hello", 0), "OK")
	g.is(r.SetNX(ctx, "s", "x", 0), "false")
	g.is(r.SetXX(ctx, "s", "hello", redis.KeepTTL), "true")
	g.is(r.SetArgs(ctx, "s", "hello", redis.SetArgs{Mode: "XX", Get: true, TTL: time.Hour}), "hello")
	g.is(r.Do(ctx, "SETEX", "e", 3600, "v"), "OK")
	g.is(r.Get(ctx, "absent"), "redis: nil")
	g.is(r.GetRange(ctx, "s", 1, -2), "ell")
	g.is(r.SetRange(ctx, "s", 5, " world"), "11")
	g.is(r.Append(ctx, "s", "!"), "12")
	g.is(r.StrLen(ctx, "s"), "12")
	g.is(r.Do(ctx, "GETSET", "s", "new"), "hello world!")
	g.is(r.GetEx(ctx, "s", time.Hour), "new")
	g.is(r.GetDel(ctx, "s"), "new")
	g.is(r.Exists(ctx, "s", "e", "e"), "2")
	g.is(r.MSet(ctx, "a", 1, "b", 2), "OK")
	g.is(r.MSetNX(ctx, "b", 1, "c", 2), "false")
	g.is(r.MSetNX(ctx, "c", 3, "d", 4), "true")
	g.is(r.MGet(ctx, "a", "absent", "d"), "[1 <nil> 4]")
}

func (g *goRedis) numbers() {
	r, ctx := g.rdb, g.ctx
	g.is(r.Incr(ctx, "n"), "1")
	g.is(r.IncrBy(ctx, "n", 41), "42")
	g.is(r.Decr(ctx, "n"), "41")
	g.is(r.DecrBy(ctx, "n", 1), "40")
	g.is(r.IncrByFloat(ctx, "n", 0.5), "40.5")
	g.is(r.Incr(ctx, "n"), "ERR value is not an integer or out of range")
}

func (g *goRedis) keys() {
	r, ctx := g.rdb, g.ctx
	r.MSet(ctx, "a", 1, "b", "two", "c", 3)
	g.is(r.Type(ctx, "a"), "string")
	g.is(r.Type(ctx, "absent"), "none")
	g.is(r.Touch(ctx, "a", "absent"), "1")
	g.is(r.Rename(ctx, "a", "z"), "OK")
	g.is(r.Rename(ctx, "a", "z"), "ERR no such key")
	g.is(r.RenameNX(ctx, "z", "b"), "false")
	g.is(r.Copy(ctx, "b", "copy", 0, false), "1")
	g.is(r.Copy(ctx, "b", "c", 0, true), "1")
	g.is(r.ObjectEncoding(ctx, "z"), "int")
	g.is(r.ObjectEncoding(ctx, "b"), "embstr")
	g.is(r.ObjectRefCount(ctx, "z"), "2147483647")
	if d, err := r.ObjectIdleTime(ctx, "b").Result(); err != nil || d > 10*time.Second {
		g.t.Errorf("idle for %v, %v", d, err)
	}
	if n, err := r.MemoryUsage(ctx, "b", 5).Result(); err != nil || n < 4 || n > 200 {
		g.t.Errorf("memory usage %d, %v", n, err)
	}
	g.is(r.Unlink(ctx, "b", "absent"), "1")
	g.is(r.Del(ctx, "c", "copy"), "2")
}

func (g *goRedis) expiry() {
	r, ctx := g.rdb, g.ctx
	r.Set(ctx, "k", "v", 0)
	at := time.Unix(4102444800, 0)
	g.is(r.TTL(ctx, "k"), "-1ns")
	g.is(r.TTL(ctx, "absent"), "-2ns")
	g.is(r.ExpireXX(ctx, "k", time.Hour), "false")
	g.is(r.ExpireNX(ctx, "k", time.Hour), "true")
	g.is(r.ExpireGT(ctx, "k", time.Minute), "false")
	g.is(r.ExpireLT(ctx, "k", time.Minute), "true")
	g.is(r.PExpire(ctx, "k", time.Hour), "true")
	g.is(r.ExpireAt(ctx, "k", at), "true")
	g.is(r.PExpireAt(ctx, "k", at), "true")
	if d := r.ExpireTime(ctx, "k").Val(); d != 4102444800*time.Second {
		g.t.Errorf("EXPIRETIME: %v", d)
	}
	if d := r.PExpireTime(ctx, "k").Val(); d != 4102444800*time.Second {
		g.t.Errorf("PEXPIRETIME: %v", d)
	}
	if d := r.PTTL(ctx, "k").Val(); d < time.Hour {
		g.t.Errorf("PTTL: %v", d)
	}
	g.is(r.Persist(ctx, "k"), "true")
	g.is(r.Expire(ctx, "k", -time.Second), "true")
	g.is(r.Exists(ctx, "k"), "0")
}

func (g *goRedis) keyspace() {
	r, ctx := g.rdb, g.ctx
	var want []string
	for i := range 500 {
		want = append(want, fmt.Sprintf("key:%03d", i))
		r.Set(ctx, want[i], i, 0)
	}
	g.is(r.DBSize(ctx), "500")
	found := r.Keys(ctx, "key:*").Val()
	if slices.Sort(found); !slices.Equal(found, want) {
		g.t.Errorf("KEYS found %d", len(found))
	}
	if k := r.RandomKey(ctx).Val(); !slices.Contains(want, k) {
		g.t.Errorf("RANDOMKEY: %q", k)
	}
	seen := map[string]bool{}
	for it := r.Scan(ctx, 0, "key:*", 7).Iterator(); it.Next(ctx); {
		seen[it.Val()] = true
	}
	if len(seen) != 500 {
		g.t.Errorf("SCAN found %d", len(seen))
	}
	some := 0
	for it := r.ScanType(ctx, 0, "key:1*", 100, "string").Iterator(); it.Next(ctx); {
		some++
	}
	if it := r.ScanType(ctx, 0, "*", 100, "hash").Iterator(); it.Next(ctx) || some != 100 {
		g.t.Errorf("SCAN MATCH found %d, and a hash", some)
	}
	g.is(r.FlushDB(ctx), "OK")
	g.is(r.FlushAllAsync(ctx), "OK")
	g.is(r.RandomKey(ctx), "redis: nil")
}

func (g *goRedis) pipelines() {
	var gets []*redis.StringCmd
	_, err := g.rdb.Pipelined(g.ctx, func(p redis.Pipeliner) error {
		for i := range 2000 {
			p.Set(g.ctx, fmt.Sprint(i), i*i, 0)
			gets = append(gets, p.Get(g.ctx, fmt.Sprint(i)))
		}
		return nil
	})
	if err != nil {
		g.t.Error(err)
	}
	for i, get := range gets {
		if n, err := get.Int(); n != i*i || err != nil {
			g.t.Fatalf("%d: %d, %v", i, n, err)
		}
	}
}

func (g *goRedis) transactions() {
	r, ctx := g.rdb, g.ctx
	cmds, err := r.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, "a", 1, 0)
		p.Incr(ctx, "b")
		p.Set(ctx, "text", "x", 0)
		p.Incr(ctx, "text")
		p.MGet(ctx, "a", "b")
		return nil
	})
	if err == nil || len(cmds) != 5 {
		g.t.Errorf("%d replies, %v; want the error of one of them", len(cmds), err)
	}
	g.is(cmds[4], "[1 1]")
	// WATCH: the first attempt meets a change from elsewhere, the second does not.
	attempts := 0
	double := func(tx *redis.Tx) error {
		n, err := tx.Get(ctx, "a").Int()
		if err != nil {
			return err
		}
		if attempts++; attempts == 1 {
			r.Incr(ctx, "a")
		}
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error { return p.Set(ctx, "a", 2*n, 0).Err() })
		return err
	}
	if err := r.Watch(ctx, double, "a", "b"); !errors.Is(err, redis.TxFailedErr) {
		g.t.Errorf("first: %v", err)
	}
	if err := r.Watch(ctx, double, "a", "b"); err != nil {
		g.t.Errorf("second: %v", err)
	}
	g.is(r.Get(ctx, "a"), "4")
	if err := r.Watch(ctx, func(tx *redis.Tx) error { return tx.Unwatch(ctx).Err() }, "a"); err != nil {
		g.t.Error(err)
	}
}

func (g *goRedis) server() {
	r, ctx := g.rdb, g.ctx
	g.is(r.Ping(ctx), "PONG")
	g.is(r.Echo(ctx, "x"), "x")
	g.is(r.Do(ctx, "SELECT", 0), "OK")
	g.is(r.ConfigSet(ctx, "timeout", "0"), "OK")
	g.is(r.ConfigGet(ctx, "maxmemory-pol*"), "map[maxmemory-policy:noeviction]")
	g.is(r.ConfigResetStat(ctx), "OK")
	g.is(r.ConfigRewrite(ctx), "ERR The server is running without a config file")
	g.is(r.CommandGetKeys(ctx, "MSET", "a", 1, "b", 2), "[a b]")
	g.is(r.Do(ctx, "SLOWLOG", "LEN"), "0")
	g.is(r.SlowLogGet(ctx, 10), "[]")
	g.is(r.ClientKill(ctx, "nobody:1"), "ERR No such client")
	g.is(r.ClientKillByFilter(ctx, "ID", "999999"), "0")
	if now, err := r.Time(ctx).Result(); err != nil || time.Since(now).Abs() > time.Minute {
		g.t.Errorf("TIME: %v, %v", now, err)
	}
	if id := r.ClientID(ctx).Val(); id < 1 {
		g.t.Errorf("CLIENT ID: %d", id)
	}
	if info, err := r.ClientInfo(ctx).Result(); err != nil || info.ID < 1 || info.LibName == "" {
		g.t.Errorf("CLIENT INFO: %+v, %v", info, err)
	}
	if list := r.ClientList(ctx).Val(); strings.Count(list, "\n") < 1 {
		g.t.Errorf("CLIENT LIST: %q", list)
	}
	if cmds, err := r.Command(ctx).Result(); err != nil || cmds["exec"] == nil || cmds["get"].FirstKeyPos != 1 || cmds["msetnx"].StepCount != 2 {
		g.t.Errorf("COMMAND: %v", err)
	}
	if names := r.CommandList(ctx, &redis.FilterBy{Pattern: "get*"}).Val(); !slices.Contains(names, "getex") {
		g.t.Errorf("COMMAND LIST: %v", names)
	}
	if m := r.InfoMap(ctx, "server", "stats").Item("Server", "redis_mode"); m != "standalone" {
		g.t.Errorf("INFO: redis_mode %q", m)
	}
	if err := r.Do(ctx, "DEBUG", "SLEEP", 0).Err(); err == nil || !strings.HasPrefix(err.Error(), "ERR DEBUG command not allowed") {
		g.t.Errorf("DEBUG: %v", err)
	}
}
