;; A service: prints "tick 1", "tick 2" and so on, one a second, until it is stopped.
;;
;; Memory: 0 one iovec · 8 bytes written · 16 events · 32 "tick " and the digits, up to 64
;;         64 one subscription (48 bytes) · 128 one event (32 bytes) · 160 constant text
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))

  (memory (export "memory") 1)
  (data (i32.const 160) "tick ")

  (func $sleep (param $nanoseconds i64)
    (memory.fill (i32.const 64) (i32.const 0) (i32.const 48))
    (i32.store (i32.const 80) (i32.const 1)) ;; the monotonic clock
    (i64.store (i32.const 88) (local.get $nanoseconds))
    (if (call $poll_oneoff (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 16))
      (then unreachable)))

  ;; Writes the line backwards from 63, then prints it in one piece.
  (func $print_tick (param $value i32)
    (local $at i32)
    (local.set $at (i32.const 63))
    (i32.store8 (local.get $at) (i32.const 10))
    (loop $next
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $value) (i32.const 10))))
      (local.set $value (i32.div_u (local.get $value) (i32.const 10)))
      (br_if $next (local.get $value)))
    (local.set $at (i32.sub (local.get $at) (i32.const 5)))
    (memory.copy (local.get $at) (i32.const 160) (i32.const 5))
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (i32.sub (i32.const 64) (local.get $at)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))

  (func (export "_start")
    (local $count i32)
    (loop $forever
      (local.set $count (i32.add (local.get $count) (i32.const 1)))
      (call $print_tick (local.get $count))
      (call $sleep (i64.const 1000000000))
      (br $forever))))
