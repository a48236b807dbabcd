using DataHub.Catalog;

using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace DataHub.Sharing;

/// <summary>Fetches in the rhythm of an agreement that the front-end does not give after all.</summary>
internal static class BegunFetches
{
    /// <summary>Notes that nothing was given of them, and answers with the problem that says why.</summary>
    public static async Task<IResult> NotGivenAsync(this HttpContext http, IResult problem, params IEnumerable<BegunFetch?> begun)
    {
        foreach (var one in begun.OfType<BegunFetch>())
            await http.RequestServices.GetRequiredService<IGrainFactory>().GetGrain<IAgreementRhythmGrain>(one.Agreement).GiveBackAsync(Caller.Hub, one.Id);
        return problem;
    }
}
