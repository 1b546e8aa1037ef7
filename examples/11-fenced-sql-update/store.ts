/** The table that the consumer writes to, in SQLite for WebAssembly: each row keeps the fence of its last write. */
import initSqlJs from 'sql.js';

// It sets the fence and asks for it, in one statement: there is no moment between the check and the write.
const guardedUpdate = 'update invoice set status = $status, fence = $fence where id = $id and fence <= $fence';

export interface InvoiceTable {
  /** The number of rows changed: 0 where a newer owner's write is in the row already. */
  setStatus(id: number, status: string, fence: number): number;
  status(id: number): string;
  close(): void;
}

export async function openTable(): Promise<InvoiceTable> {
  const { Database } = await initSqlJs();
  const db = new Database();
  db.run('create table invoice (id integer primary key, status text not null, fence integer not null default 0)');
  db.run("insert into invoice (id, status) values (42, 'open')");
  return {
    setStatus(id, status, fence) {
      db.run(guardedUpdate, { $id: id, $status: status, $fence: fence });
      return db.getRowsModified();
    },
    status: (id) => String(db.exec(`select status from invoice where id = ${id}`)[0]?.values[0]?.[0]),
    close: () => db.close(),
  };
}
