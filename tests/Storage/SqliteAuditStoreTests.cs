using DataHub.Governance;
using DataHub.Storage.Sqlite;
using DataHub.Support;

using Microsoft.Data.Sqlite;

namespace DataHub.Storage;

public sealed class SqliteAuditStoreTests : AuditStoreConformance
{
    private readonly SqliteFolder _folder = new();

    private protected override Task<IAuditStore> CreateAsync() => Task.FromResult<IAuditStore>(new SqliteAuditStore(_folder.Open(SqliteAuditStore.FileName, SqliteAuditStore.Family)));

    protected override async Task CloseAsync() => await _folder.DisposeAsync();

    protected override async Task ExecuteAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(_folder.FullName, SqliteAuditStore.FileName)};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of the test.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }

    [Fact]
    public async Task Of_deleted_content_nothing_is_left_in_the_files()
    {
        var log = AuditLogs.Log(50);
        Assert.True(await Store.AppendAsync("main", AuditHead.Empty, log, default));
        var expected = AuditLogs.Log(50, [7L]);
        Assert.True(FilesHold("\"k7\""u8));
        Assert.True(await Store.DeleteContentAsync("main", AuditChain.HeadOf(log[^1]), [7], expected[^1], default));

        await Store.CompactAsync(default);

        Assert.False(FilesHold("\"k7\""u8));
        Assert.False(FilesHold(System.Text.Encoding.UTF8.GetBytes(log[6].Columns.Id!)));
        Assert.False(FilesHold(log[6].Salt));
        Assert.True(FilesHold("\"k8\""u8));
        Assert.True(FilesHold(log[6].Leaf));

        bool FilesHold(ReadOnlySpan<byte> bytes)
        {
            foreach (var file in Directory.GetFiles(_folder.FullName, SqliteAuditStore.FileName + "*"))
            {
                using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                var all = new byte[stream.Length];
                stream.ReadExactly(all);
                if (all.AsSpan().IndexOf(bytes) >= 0) return true;
            }

            return false;
        }
    }
}
