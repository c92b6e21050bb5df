;; Counts the primes below its first argument by trial division, and prints the count.
;; Without an argument it counts below 100000; for anything but a number it exits with code 2.
;;
;; Memory: 0 one iovec · 8 bytes written · 16 count · 20 size of texts · 32 digits of the answer, backwards from 63
;;         64 constant texts · 4096 pointers · 8192 texts
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  (memory (export "memory") 1)
  (data (i32.const 64) "expected a whole number from 0 to 999999999\n")

  (func $print (param $stream i32) (param $address i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $address))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $fd_write (local.get $stream) (i32.const 0) (i32.const 1) (i32.const 8))))

  (func $fail
    (call $print (i32.const 2) (i32.const 64) (i32.const 44))
    (call $proc_exit (i32.const 2)))

  ;; A decimal number of at most nine digits.
  (func $parse (param $text i32) (result i32)
    (local $value i32) (local $digit i32) (local $count i32)
    (loop $next
      (local.set $digit (i32.sub (i32.load8_u (local.get $text)) (i32.const 48)))
      (if (i32.lt_u (local.get $digit) (i32.const 10))
        (then
          (local.set $value (i32.add (i32.mul (local.get $value) (i32.const 10)) (local.get $digit)))
          (local.set $text (i32.add (local.get $text) (i32.const 1)))
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (br_if $next (i32.le_u (local.get $count) (i32.const 9))))))
    (if
      (i32.or
        (i32.ne (i32.load8_u (local.get $text)) (i32.const 0))
        (i32.or (i32.eqz (local.get $count)) (i32.gt_u (local.get $count) (i32.const 9))))
      (then (call $fail)))
    (local.get $value))

  ;; Whether an odd number from 3 on is prime.
  (func $is_prime (param $number i32) (result i32)
    (local $divisor i32)
    (local.set $divisor (i32.const 3))
    (loop $next
      (if (i32.gt_u (i32.mul (local.get $divisor) (local.get $divisor)) (local.get $number))
        (then (return (i32.const 1))))
      (if (i32.eqz (i32.rem_u (local.get $number) (local.get $divisor)))
        (then (return (i32.const 0))))
      (local.set $divisor (i32.add (local.get $divisor) (i32.const 2)))
      (br $next))
    unreachable)

  (func $count_below (param $bound i32) (result i32)
    (local $number i32) (local $count i32)
    (if (i32.le_u (local.get $bound) (i32.const 2)) (then (return (i32.const 0))))
    (local.set $count (i32.const 1)) ;; two
    (local.set $number (i32.const 3))
    (block $end
      (loop $next
        (br_if $end (i32.ge_u (local.get $number) (local.get $bound)))
        (local.set $count (i32.add (local.get $count) (call $is_prime (local.get $number))))
        (local.set $number (i32.add (local.get $number) (i32.const 2)))
        (br $next)))
    (local.get $count))

  (func $print_number (param $value i32)
    (local $at i32)
    (local.set $at (i32.const 63))
    (i32.store8 (local.get $at) (i32.const 10))
    (loop $next
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $value) (i32.const 10))))
      (local.set $value (i32.div_u (local.get $value) (i32.const 10)))
      (br_if $next (local.get $value)))
    (call $print (i32.const 1) (local.get $at) (i32.sub (i32.const 64) (local.get $at))))

  (func (export "_start")
    (local $bound i32)
    (local.set $bound (i32.const 100000))
    (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (if (i32.gt_u (i32.load (i32.const 16)) (i32.const 1))
      (then
        ;; two pointers are all we look at, but all of them are written
        (if (i32.or
              (i32.gt_u (i32.load (i32.const 16)) (i32.const 1024))
              (i32.gt_u (i32.load (i32.const 20)) (i32.const 57344)))
          (then (call $fail)))
        (drop (call $args_get (i32.const 4096) (i32.const 8192)))
        (local.set $bound (call $parse (i32.load (i32.const 4100))))))
    (call $print_number (call $count_below (local.get $bound)))))
