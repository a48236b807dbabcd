using DataHub.Governance;
using DataHub.Storage.Postgres;
using DataHub.Support;

using Npgsql;

namespace DataHub.Storage;

[NeedsPostgres]
public sealed class PostgresAuditStoreTests : AuditStoreConformance
{
    private PostgresScratch _scratch = null!;

    private protected override async Task<IAuditStore> CreateAsync()
    {
        _scratch = await PostgresScratch.CreateAsync();
        return new PostgresAuditStore(_scratch.Open());
    }

    protected override async Task CloseAsync() => await _scratch.DisposeAsync();

    protected override Task ExecuteAsync(string sql) => ExecuteAsync(_scratch.ConnectionString, sql);

    [ConformanceFact]
    public async Task A_silos_role_appends_and_deletes_content_and_an_analysts_sees_nothing()
    {
        var log = AuditLogs.Log(3);
        var (silo, analyst) = (await LoginAsync("datahub_silo"), await LoginAsync("datahub_analyst"));
        var store = new PostgresAuditStore(_scratch.Open(silo));
        Assert.True(await store.AppendAsync("main", AuditHead.Empty, log, default));
        Assert.True(await store.DeleteContentAsync("main", AuditChain.HeadOf(log[^1]), [2], AuditLogs.Log(3, [2L])[^1], default));
        Assert.Equal(0, AuditLogs.Verify(await store.ReadAsync("main", AuditQuery.All(0, 10), default), await store.HeadAsync("main", default)).FaultCount);

        foreach (var sql in new[] { "DELETE FROM datahub.audit_entry", "UPDATE datahub.audit_entry SET link = leaf", "TRUNCATE datahub.audit_entry", "DELETE FROM datahub.audit_head", "ALTER TABLE datahub.audit_entry DISABLE TRIGGER ALL" })
            Assert.Equal("42501", (await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(silo, sql))).SqlState);
        foreach (var sql in new[] { "SELECT * FROM datahub.audit_entry", "SELECT * FROM datahub.audit_head" })
            Assert.Equal("42501", (await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(analyst, sql))).SqlState);
    }

    private async Task<string> LoginAsync(string role)
    {
        var name = $"login_{Guid.NewGuid():N}";
        await ExecuteAsync(_scratch.ConnectionString, $"CREATE ROLE {name} LOGIN PASSWORD 'tests-only' IN ROLE {role}");
        return new NpgsqlConnectionStringBuilder(_scratch.ConnectionString) { Username = name, Password = "tests-only" }.ConnectionString;
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, SearchPath = "datahub" }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
