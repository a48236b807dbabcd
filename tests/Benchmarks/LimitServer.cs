using System.Net;
using System.Net.Http.Headers;

namespace DataHub.Benchmarks;

/// <summary>The process of <see cref="Limits"/>, and the load that is put on it.</summary>
internal sealed class LimitServer(Child process) : IDisposable
{
    public Uri Address => process.Address;

    /// <summary>Processor time so far in seconds, all cores.</summary>
    public double Cpu => process.Cpu.TotalSeconds;

    public static async Task<LimitServer> StartAsync()
    {
        var address = Child.FreeAddress();
        return new(await Child.StartAsync(
            Path.Combine(AppContext.BaseDirectory, "DataHub.Benchmarks.dll"), address, async http => (await http.GetAsync("/static")).IsSuccessStatusCode, "limits", address.ToString()));
    }

    /// <returns>Requests per second.</returns>
    public async Task<double> DiscardAsync(int rows, int requests, int connections)
    {
        var bodies = new byte[requests][];
        for (var i = 0; i < requests; i++) bodies[i] = Rows.Push(i * rows, rows);
        using var load = new Load(process.Address, null, connections);
        return (await load.SendAsync(requests, i => Load.Post("/discard", bodies[i]), answer => answer.StatusCode == HttpStatusCode.OK)).PerSecond;
    }

    /// <summary>Polls of a body of the same size.</summary>
    /// <returns>Answers per second.</returns>
    public async Task<double> PollAsync(byte[] body, int polls, bool conditional)
    {
        using var load = new Load(process.Address, null, 32);
        await load.Http.PutAsync("/static", new ByteArrayContent(body));
        return await load.PollAsync(polls, "/static", conditional ? new EntityTagHeaderValue("\"static\"") : null);
    }

    public void Dispose() => process.Dispose();
}
