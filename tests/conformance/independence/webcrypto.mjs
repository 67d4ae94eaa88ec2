// Node 18 has no global `crypto`, which jose looks for. A module of its own, since imports run
// before any other line of the module that names them.
import { webcrypto } from 'node:crypto'

globalThis.crypto ??= webcrypto
