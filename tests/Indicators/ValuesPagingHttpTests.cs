using System.Text;

using DataHub.Support;

namespace DataHub.Indicators;

/// <summary>Pages of values while their dataset is being written to, through the public routes of a whole hub.</summary>
public sealed class ValuesPagingHttpTests(HubFixture hub) : IClassFixture<HubFixture>
{
    [Fact]
    public async Task Who_pages_values_while_others_push_correct_and_delete_sees_every_window_that_stood_exactly_once()
    {
        var agency = await hub.AgencyAsync("leafed-agency");
        await hub.PutAirQualityAsync("leafed", "leafed-agency", partitions: 3);
        using (var indicator = new StringContent("""{"title":"x","dataset":"leafed","measure":{"function":"sum","field":"no2"},"window":"PT5M","access":"open"}""", Encoding.UTF8, "application/json"))
            await HubFixture.OkAsync(hub.Admin.PutAsync("api/v1/indicators/leafed", indicator));
        var random = new Random(5);
        // Every other window stands throughout, while its value changes; those between come and go.
        var standing = Enumerable.Range(0, 200).Select(i => At(i * 10)).ToArray();
        var watermark = await PushAsync(agency, standing.Select((time, i) => Line($"s{i % 9}", time, 1)));
        using var stop = new CancellationTokenSource();
        var pushes = 0;
        var writing = Task.Run(async () =>
        {
            var own = new Random(6);
            for (; !stop.IsCancellationRequested; pushes++)
            {
                await PushAsync(agency, Enumerable.Range(0, 20).Select(_ => own.Next(200)).Select(i => own.Next(3) switch
                {
                    0 => Line($"s{i % 9}", standing[i], own.Next(1_000)),
                    1 => Line("between", At((i * 10) + 5), 1),
                    _ => Line("between", At((i * 10) + 5), null),
                }));
            }
        });

        for (var round = 0; round < 6 || (round < 200 && pushes < 10); round++)
        {
            var seen = new List<string>();
            for (var next = $"api/v1/indicators/leafed/values?from=2026-11-01&limit={random.Next(5, 60)}&watermark={watermark}"; next is not null;)
            {
                var page = (await HubFixture.OkAsync(hub.Anonymous.GetAsync(next))).RootElement;
                seen.AddRange(page.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("from").GetString()!));
                next = page.GetProperty("next").GetString()?.TrimStart('/');
            }

            Assert.Equal(seen.Distinct().Order(StringComparer.Ordinal), seen);
            Assert.Empty(standing.Except(seen));
        }

        await stop.CancelAsync();
        await writing;
        Assert.True(pushes >= 10, $"{pushes} pushes meanwhile");
    }

    private static string At(int minute) => new DateTime(2026, 11, 2, 0, 0, 0, DateTimeKind.Utc).AddMinutes(minute).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static string Line(string station, string time, int? value) => $$"""{"station":"{{station}}","time":"{{time}}",{{(value is { } number ? $"\"no2\":{number}" : "\"@delete\":true")}}}""";

    private static async Task<string> PushAsync(HttpClient client, IEnumerable<string> lines)
    {
        using var content = new StringContent(string.Join('\n', lines), Encoding.UTF8, "application/x-ndjson");
        var receipt = await HubFixture.OkAsync(client.PostAsync("api/v1/datasets/leafed/feeds/default/records", content));
        return receipt.RootElement.GetProperty("watermark").GetString()!;
    }
}
