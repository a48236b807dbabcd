using DataHub.Pipelines;

namespace DataHub.Support;

/// <summary>What every store of files' content promises. An adapter's tests derive from it and say how to make one.</summary>
public abstract class FileStoreConformance : IAsyncLifetime
{
    private protected IFileStore Store { get; private set; } = null!;

    /// <summary>A store of the test's own, empty at first.</summary>
    private protected abstract Task<IFileStore> CreateAsync();

    protected abstract Task CloseAsync();

    public async Task InitializeAsync() => Store = await CreateAsync();

    public Task DisposeAsync() => CloseAsync();

    [ConformanceFact]
    public async Task What_was_written_is_read_and_what_was_not_is_not_there()
    {
        var large = new byte[3 << 20];
        Random.Shared.NextBytes(large);
        await Store.WriteAsync("upload/1", 0, large, default);
        await Store.WriteAsync("upload/1", 1, new byte[] { 7 }, default);
        Assert.Equal(large, await Store.ReadAsync("upload/1", 0, default));
        Assert.Equal([7], await Store.ReadAsync("upload/1", 1, default));
        Assert.Null(await Store.ReadAsync("upload/1", 2, default));
        Assert.Null(await Store.ReadAsync("upload/2", 0, default));
    }

    [ConformanceFact]
    public async Task A_piece_of_the_same_number_takes_the_place_of_the_one_before()
    {
        await Store.WriteAsync("upload/1", 0, new byte[] { 1, 2, 3 }, default);
        await Store.WriteAsync("upload/1", 0, new byte[] { 4 }, default);
        Assert.Equal([4], await Store.ReadAsync("upload/1", 0, default));
    }

    [ConformanceFact]
    public async Task Files_are_listed_by_prefix_in_order_page_by_page_and_each_once()
    {
        foreach (var name in new[] { "run/a/x/1", "run/a/x/2", "run/b/y/1", "run/a/w/1", "run", "ru", "runa", "upload/z" })
        {
            await Store.WriteAsync(name, 0, new byte[] { 1 }, default);
            await Store.WriteAsync(name, 1, new byte[] { 1 }, default);
        }

        Assert.Equal(["run/a/w/1", "run/a/x/1", "run/a/x/2"], await Store.ListAsync("run/a/", null, 10, default));
        Assert.Equal(["run/a/w/1", "run/a/x/1"], await Store.ListAsync("run/a/", null, 2, default));
        Assert.Equal(["run/a/x/2"], await Store.ListAsync("run/a/", "run/a/x/1", 2, default));
        Assert.Empty(await Store.ListAsync("run/c/", null, 10, default));
    }

    [ConformanceFact]
    public async Task A_deleted_file_is_gone_with_all_its_pieces_and_no_other()
    {
        for (var i = 0; i < 700; i++) await Store.WriteAsync("run/a/x/1", i, new byte[] { 1 }, default);
        await Store.WriteAsync("run/a/x/10", 0, new byte[] { 2 }, default);
        await Store.DeleteAsync("run/a/x/1", default);
        await Store.DeleteAsync("run/a/x/1", default);
        Assert.Equal(["run/a/x/10"], await Store.ListAsync("run/", null, 10, default));
        Assert.Null(await Store.ReadAsync("run/a/x/1", 699, default));
        Assert.Equal([2], await Store.ReadAsync("run/a/x/10", 0, default));
    }
}
