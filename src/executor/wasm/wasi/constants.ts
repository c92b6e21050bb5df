/** Numbers and names of WASI preview 1 (`wasi_snapshot_preview1.witx`). */

export const WASI_MODULE = 'wasi_snapshot_preview1'

export const ERRNO = {
  success: 0,
  badf: 8,
  fault: 21,
  inval: 28,
  io: 29,
  nospc: 51,
  notdir: 54,
  notsock: 57,
  notsup: 58,
  spipe: 70
} as const

export const CLOCK_REALTIME = 0
/** 1 is the monotonic clock, 2 and 3 the CPU time of process and thread. */
export const LAST_CLOCK = 3

export const FILETYPE_CHARACTER_DEVICE = 2

/** Rights of a stream, as in `rights`: read, write, poll. */
export const RIGHT_FD_READ = 1n << 1n
export const RIGHT_FD_WRITE = 1n << 6n
export const RIGHT_POLL = 1n << 27n

export const EVENT_CLOCK = 0
export const EVENT_FD_READ = 1
export const EVENT_FD_WRITE = 2

/** Every function a module may import. */
export const WASI_FUNCTIONS: ReadonlySet<string> = new Set([
  'args_get',
  'args_sizes_get',
  'clock_res_get',
  'clock_time_get',
  'environ_get',
  'environ_sizes_get',
  'fd_advise',
  'fd_allocate',
  'fd_close',
  'fd_datasync',
  'fd_fdstat_get',
  'fd_fdstat_set_flags',
  'fd_fdstat_set_rights',
  'fd_filestat_get',
  'fd_filestat_set_size',
  'fd_filestat_set_times',
  'fd_pread',
  'fd_prestat_dir_name',
  'fd_prestat_get',
  'fd_pwrite',
  'fd_read',
  'fd_readdir',
  'fd_renumber',
  'fd_seek',
  'fd_sync',
  'fd_tell',
  'fd_write',
  'path_create_directory',
  'path_filestat_get',
  'path_filestat_set_times',
  'path_link',
  'path_open',
  'path_readlink',
  'path_remove_directory',
  'path_rename',
  'path_symlink',
  'path_unlink_file',
  'poll_oneoff',
  'proc_exit',
  'proc_raise',
  'random_get',
  'sched_yield',
  'sock_accept',
  'sock_recv',
  'sock_send',
  'sock_shutdown'
])
