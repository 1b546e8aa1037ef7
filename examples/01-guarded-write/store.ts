/** The store that the lock protects: a table in SQLite, here the build for WebAssembly, asked as one asks Postgres. */
import initSqlJs from 'sql.js';

export interface Store {
  query(sql: string, values: readonly (number | string)[]): { readonly rowCount: number };
  status(id: number): string;
  close(): void;
}

export async function openStore(): Promise<Store> {
  const { Database } = await initSqlJs();
  const db = new Database();
  // The column of the fence starts at 0, below every token.
  db.run('create table invoice (id integer primary key, status text not null, fence integer not null default 0)');
  db.run("insert into invoice (id, status) values (42, 'open')");
  return {
    query(sql, values) {
      db.run(sql, Object.fromEntries(values.map((value, index) => [`$${index + 1}`, value])));
      return { rowCount: db.getRowsModified() };
    },
    status: (id) => String(db.exec(`select status from invoice where id = ${id}`)[0]?.values[0]?.[0]),
    close: () => db.close(),
  };
}
