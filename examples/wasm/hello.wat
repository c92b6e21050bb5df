;; Prints a greeting, then its arguments and its environment, one a line.
;;
;; Memory: 0 one iovec (address, length) · 8 bytes written · 16 count · 20 size of texts
;;         64 constant texts · 4096 pointers, and behind them the texts they point to
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))

  (memory (export "memory") 2)
  (data (i32.const 64) "Hello from a NuNet node!\n")
  (data (i32.const 96) "argument: ")
  (data (i32.const 112) "environment: ")
  (data (i32.const 128) "\n")

  (func $print (param $address i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $address))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))

  (func $length (param $text i32) (result i32)
    (local $at i32)
    (local.set $at (local.get $text))
    (block $end
      (loop $next
        (br_if $end (i32.eqz (i32.load8_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.sub (local.get $at) (local.get $text)))

  ;; Prints the texts whose pointers lie at 4096, from number $from on, each behind a label.
  (func $print_list (param $from i32) (param $label i32) (param $label_length i32)
    (local $text i32)
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $from) (i32.load (i32.const 16))))
        (local.set $text
          (i32.load (i32.add (i32.const 4096) (i32.mul (local.get $from) (i32.const 4)))))
        (call $print (local.get $label) (local.get $label_length))
        (call $print (local.get $text) (call $length (local.get $text)))
        (call $print (i32.const 128) (i32.const 1))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (br $next))))

  ;; Makes room for the pointers and texts announced at 16 and 20; returns where the texts go.
  (func $reserve (result i32)
    (local $texts i32)
    (local $missing i32)
    (local.set $texts
      (i32.add (i32.const 4096) (i32.mul (i32.load (i32.const 16)) (i32.const 4))))
    (local.set $missing
      (i32.sub
        (i32.shr_u (i32.add (i32.add (local.get $texts) (i32.load (i32.const 20))) (i32.const 65535)) (i32.const 16))
        (memory.size)))
    (if (i32.gt_s (local.get $missing) (i32.const 0))
      (then
        (if (i32.eq (memory.grow (local.get $missing)) (i32.const -1)) (then unreachable))))
    (local.get $texts))

  (func (export "_start")
    (call $print (i32.const 64) (i32.const 25))
    (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (drop (call $args_get (i32.const 4096) (call $reserve)))
    ;; number 0 is the name of the program
    (call $print_list (i32.const 1) (i32.const 96) (i32.const 10))
    (drop (call $environ_sizes_get (i32.const 16) (i32.const 20)))
    (drop (call $environ_get (i32.const 4096) (call $reserve)))
    (call $print_list (i32.const 0) (i32.const 112) (i32.const 13))))
