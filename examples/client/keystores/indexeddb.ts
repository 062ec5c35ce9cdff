/**
 * One object store of IndexedDB: values under names, each written once. The few interfaces are declared here, as far
 * as they are used: with TypeScript's own for browsers, the whole project would know `document` and `window`.
 */

interface OpenRequest<Result> {
  readonly result: Result;
  readonly error: Error | null;
  onsuccess: () => void;
  onerror: () => void;
  onblocked: () => void;
  onupgradeneeded: () => void;
}

interface Store {
  get(name: string): { readonly result: unknown };
  add(value: unknown, name: string): { readonly result: unknown };
  delete(name: string): { readonly result: unknown };
}

interface Transaction {
  readonly error: Error | null;
  objectStore(name: string): Store;
  oncomplete: () => void;
  onabort: () => void;
}

interface Database {
  createObjectStore(name: string): void;
  transaction(store: string, mode: 'readonly' | 'readwrite', options: { durability: 'strict' }): Transaction;
  close(): void;
}

declare const indexedDB: { open(name: string, version: number): OpenRequest<Database> };

const DATABASE = 'muniment';
const STORE = 'keys';

/** The value under a name, or undefined. Rejects with the browser's own errors, as the others here do. */
export function readValue(name: string): Promise<unknown> {
  return transact('readonly', (store) => store.get(name));
}

/** Keeps a value under a new name. Rejects with a `ConstraintError`, and changes nothing, if the name is taken. */
export async function addValue(name: string, value: unknown): Promise<void> {
  await transact('readwrite', (store) => store.add(value, name));
}

/** Forgets what is under a name, if anything is. */
export async function deleteValue(name: string): Promise<void> {
  await transact('readwrite', (store) => store.delete(name));
}

// Done is what the transaction says, not the request: only then is it on the disk.
async function transact(
  mode: 'readonly' | 'readwrite',
  act: (store: Store) => { readonly result: unknown },
): Promise<unknown> {
  const database = await openDatabase();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode, { durability: 'strict' });
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'));
    });
  } finally {
    database.close();
  }
}

function openDatabase(): Promise<Database> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the database does not open'));
    request.onblocked = () => reject(new Error('another page keeps an older database open'));
  });
}
