using System.Globalization;

using DataHub.Catalog;
using DataHub.Feeds;
using DataHub.Indicators;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace DataHub.Pipelines;

/// <summary>The pages on which runs of pipelines are watched, ended, resumed and started: what the interface tells the same reader, in words.</summary>
internal sealed class RunPages(IGrainFactory grains, PageRenderer renderer, TimeProvider time)
{
    /// <summary>The sections to which a done act leads.</summary>
    public const string Standing = "standing", Runs = "runs";

    /// <summary>Runs of a page, those of a job on its page, jobs whose runs are shown together, ids looked at for them and read at once, and files to choose from.</summary>
    private const int PageSize = 50, JobRuns = 20, MaxJobs = 200, MaxLooked = 1_000, ReadSize = 100, MaxFiles = 100;

    /// <summary>How often the page of a run that goes looks for news.</summary>
    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(3);

    public async Task ListAsync(HttpContext http)
    {
        var (query, display) = Asked(http);
        var caller = http.Caller();
        var named = http.Request.Query["job"].ToString() is { Length: > 0 and <= CatalogIds.MaxLength } text ? text : null;
        var (jobs, more) = caller.IsPublic ? ([], false) : await JobsAsync(caller);
        var shown = named is null ? jobs : jobs.Where(job => job.Id == named).ToList();
        if (named is not null && shown.Count == 0 && !caller.IsPublic && CatalogIds.IsValid(named) && await grains.GetGrain<IPipelineJobGrain>(named).RunsAsync(caller) is { } runs)
        {
            shown = [(named, runs)];
            jobs.Add((named, runs));
        }

        var page = shown.SelectMany(job => job.Runs.Select(run => (job.Id, Run: run))).Where(one => query.After is null || string.CompareOrdinal(one.Run.Id, query.After) < 0)
            .OrderByDescending(one => one.Run.Id, StringComparer.Ordinal).Take(PageSize + 1).ToArray();
        var kept = named is null ? null : "job=" + Uri.EscapeDataString(named);
        await WriteAsync<RunListPage>(http, query, new RunListView(
            new(display, "/runs", query.LanguageChosen, display.Say("Läufe", "Runs"), []) { Kept = kept }, time.GetUtcNow(), caller.IsPublic,
            await RowsAsync(caller, page.Take(PageSize)), [.. jobs.Select(job => job.Id).Order(StringComparer.Ordinal)], named)
        {
            MoreJobs = more && named is null,
            Next = page.Length > PageSize ? $"/runs?after={page[PageSize - 1].Run.Id}{(kept is null ? "" : "&" + kept)}" : null,
        });
    }

    /// <param name="entry">What was entered in a form and refused; null: nothing.</param>
    public async Task OneAsync(HttpContext http, string run, StewardEntry? entry = null)
    {
        var (query, display) = Asked(http);
        if (await FindAsync(http, run, display) is not { } info) return;
        var (forms, over, signedIn) = (new RunForms(display, entry), RunText.IsOver(info.State), StewardPages.HasSignedIn(http));
        StewardForm[] offered = !signedIn || !over ? []
            : info.State == RunState.Complete ? [forms.OfRepeat(info, ReceiptIds.New(time.GetUtcNow()))]
            : [forms.OfResume(run), forms.OfRepeat(info, ReceiptIds.New(time.GetUtcNow()))];
        var rests = http.Request.Query["reload"] == "off";
        await WriteAsync<RunPage>(http, query, new RunView(
            new(display, "/runs/" + run, query.LanguageChosen, display.Say("Lauf: ", "Run: ") + info.Pinned.Spec.Title.In(display.Language), [(display.Say("Läufe", "Runs"), "/runs"), (info.Pinned.Spec.Title.In(display.Language), "/jobs/" + info.Pinned.Job)])
            {
                // What was refused is read in peace.
                Again = over || rests || entry is not null ? null : (s_again, $"/runs/{run}{(query.LanguageChosen ? "?lang=" + query.Language : "")}"),
                Kept = rests ? "reload=off" : null,
            },
            info, time.GetUtcNow())
        {
            Done = entry is null ? forms.Done(http, info.State) : null,
            Fault = forms.Left(offered),
            Forms = offered,
            CanStop = signedIn && !over,
        }, entry?.Status ?? StatusCodes.Status200OK);
    }

    /// <summary>What ending a run brings, and the form that does it. It stands on a page of its own: the run's loads itself anew.</summary>
    /// <param name="entry">What was entered and refused; null: nothing.</param>
    public async Task StopAsync(HttpContext http, string run, StewardEntry? entry = null)
    {
        var (query, display) = Asked(http);
        if (await FindAsync(http, run, display) is not { } info) return;
        var offered = StewardPages.HasSignedIn(http) && (entry is not null || !RunText.IsOver(info.State));
        var title = info.Pinned.Spec.Title.In(display.Language);
        await StewardPages.WriteAsync(renderer, http, query, new(
            display, $"/runs/{run}/{RunForms.Abort}", query.LanguageChosen, display.Say($"Lauf von „{title}“ beenden", $"End the run of “{title}”"), [(display.Say("Läufe", "Runs"), "/runs"), (display.Say("Lauf: ", "Run: ") + title, "/runs/" + run)],
            display.Say("Der Lauf ist ", "The run is ") + RunWords.Name(info.State).In(display.Language) + (RunText.IsOver(info.State) ? "." : $" ({RunText.Progress(display, info)})."),
            [
                new("stop", display.Say("Was das bringt", "What this brings"), null, [], [], offered ? null : display.Say("Das ist jetzt nicht möglich.", "This is not possible now."))
                {
                    Parts =
                    [
                        (display.Say("Danach", "After that"),
                        [
                            display.Say("Der Schritt, der gerade läuft, hört auf; die Schritte danach beginnen nicht.", "The step under way stops; those after it do not begin."),
                            display.Say("Was schon in einen Datensatz geschrieben ist, bleibt dort.", "What was written into a dataset already stays there."),
                            display.Say("Der Lauf lässt sich später mit diesem Schritt fortsetzen.", "The run can be resumed with that step later."),
                        ]),
                    ],
                    Forms = offered ? [new RunForms(display, entry).OfAbort(run)] : [],
                    Links = [(display.Say("Zurück, nichts ändern", "Back, change nothing"), "/runs/" + run)],
                },
            ]), entry?.Status ?? StatusCodes.Status200OK);
    }

    /// <summary>Two runs side by side.</summary>
    public async Task CompareAsync(HttpContext http)
    {
        var (query, display) = Asked(http);
        var (a, b) = (Id("a"), Id("b"));
        RunInfo? first = null, second = null;
        if (a is not null && (first = await FindAsync(http, a, display)) is null) return;
        if (b is not null && (second = await FindAsync(http, b, display)) is null) return;
        await WriteAsync<RunComparePage>(http, query, new RunCompareView(
            new(display, "/runs/compare", query.LanguageChosen, display.Say("Zwei Läufe vergleichen", "Compare two runs"), [(display.Say("Läufe", "Runs"), "/runs")])
            {
                Kept = first is null || second is null ? null : $"a={a}&b={b}{(http.Request.Query["cells"] == "yes" ? "&cells=yes" : "")}",
            },
            time.GetUtcNow(), first, second, a, b)
        {
            Differences = first is not null && second is not null && RunText.IsOver(first.State) && RunText.IsOver(second.State) && http.Request.Query["cells"] == "yes" ? await grains.GetGrain<IPipelineRunGrain>(b!).DifferencesAsync(http.Caller(), new(a, null, null)) : null,
        });

        string? Id(string name) => http.Request.Query[name].ToString().Trim() is { Length: > 0 } text ? text : null;
    }

    /// <param name="entry">What was entered in a form and refused; null: nothing.</param>
    public async Task JobAsync(HttpContext http, string job, StewardEntry? entry = null)
    {
        var (query, display) = Asked(http);
        var caller = http.Caller();
        var version = int.TryParse(http.Request.Query["version"], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : (int?)null;
        if (!CatalogIds.IsValid(job) || await grains.GetGrain<IPipelineJobGrain>(job).GetAsync(caller, version) is not { } info)
        {
            await PagesExtensions.WriteErrorAsync(http, StatusCodes.Status404NotFound, display.Say(
                $"Den Job „{job}“ gibt es nicht, oder Sie dürfen nicht von ihm wissen. Wer mit ihm arbeitet, meldet sich dafür an.",
                $"There is no job “{job}”, or you may not know of it. Whoever works with it signs in for that."));
            return;
        }

        var runs = await grains.GetGrain<IPipelineJobGrain>(job).RunsAsync(caller) ?? [];
        var offered = StewardPages.HasSignedIn(http) && info.Version == info.Current;
        var forms = new RunForms(display, entry);
        await WriteAsync<JobPage>(http, query, new JobView(
            new(display, "/jobs/" + job, query.LanguageChosen, info.Spec.Title.In(display.Language), [(display.Say("Läufe", "Runs"), "/runs")]) { Kept = version is null ? null : "version=" + version.Value.ToString(CultureInfo.InvariantCulture) },
            time.GetUtcNow(), info, await RowsAsync(caller, runs.OrderByDescending(run => run.At).ThenByDescending(run => run.Id, StringComparer.Ordinal).Take(JobRuns).Select(run => (job, run))))
        {
            Triggers = info.Version == info.Current ? await grains.GetGrain<IPipelineJobGrain>(job).StatusAsync(caller) ?? [] : [],
            Backfill = (await grains.GetGrain<IPipelineJobGrain>(job).GetBackfillAsync(caller)).Backfill,
            Start = offered ? forms.OfStart(info, await FilesAsync(caller, info.Spec), ReceiptIds.New(time.GetUtcNow())) : null,
        }, entry?.Status ?? StatusCodes.Status200OK);
    }

    /// <summary>The jobs that a caller may see, with their runs, and whether there are more than were looked at.</summary>
    private async Task<(List<(string Id, RunEntry[] Runs)> Jobs, bool More)> JobsAsync(Caller caller)
    {
        var jobs = new List<(string, RunEntry[])>();
        string? after = null;
        // Most jobs are others': more ids are looked at than jobs are shown.
        for (var looked = 0; jobs.Count < MaxJobs && looked < MaxLooked; looked += ReadSize)
        {
            var ids = await grains.GetGrain<ICatalogGrain>(CatalogKinds.Jobs).ListAsync(caller, after, ReadSize);
            var runs = await Task.WhenAll(ids.Select(id => grains.GetGrain<IPipelineJobGrain>(id).RunsAsync(caller)));
            jobs.AddRange(ids.Zip(runs).Where(one => one.Second is not null).Select(one => (one.First, one.Second!)).Take(MaxJobs - jobs.Count));
            if (ids.Length < ReadSize) return (jobs, false);
            after = ids[^1];
        }

        return (jobs, true);
    }

    private async Task<RunRow[]> RowsAsync(Caller caller, IEnumerable<(string Job, RunEntry Run)> runs) =>
        await Task.WhenAll(runs.Select(async one => new RunRow(one.Job, one.Run, await grains.GetGrain<IPipelineRunGrain>(one.Run.Id).GetAsync(caller))));

    /// <summary>The files that a run of the job can read and of which the caller may know.</summary>
    private async Task<UploadedFile[]> FilesAsync(Caller caller, JobSpec spec)
    {
        if (!spec.Steps.Any(step => step.Read is { File: not null, Url: null })) return [];
        var ids = await grains.GetGrain<IUploadedFilesGrain>(spec.Agency).ListAsync(Caller.Hub, null, MaxFiles);
        var found = await Task.WhenAll(ids.Select(id => grains.GetGrain<IUploadedFileGrain>(id).GetAsync(caller)));
        return [.. found.OfType<UploadedFile>().Where(file => file.IsComplete && (file.Spec.Dataspace is null || file.Spec.Dataspace == spec.Dataspace))];
    }

    private async Task<RunInfo?> FindAsync(HttpContext http, string run, Display display)
    {
        if (ReceiptIds.IsValid(run) && await grains.GetGrain<IPipelineRunGrain>(run).GetAsync(http.Caller()) is { } info) return info;
        await PagesExtensions.WriteErrorAsync(http, StatusCodes.Status404NotFound, display.Say(
            $"Den Lauf „{run}“ gibt es nicht, oder Sie dürfen nicht von ihm wissen. Wer mit dem Job arbeitet, meldet sich dafür an.",
            $"There is no run “{run}”, or you may not know of it. Whoever works with the job signs in for that."));
        return null;
    }

    /// <summary>What is shown depends on who asks: nobody keeps it.</summary>
    private async Task WriteAsync<TPage>(HttpContext http, PageQuery query, object view, int status = StatusCodes.Status200OK)
        where TPage : IComponent
    {
        var body = await renderer.RenderAsync<TPage>(new() { ["View"] = view });
        http.Response.OnStarting(() =>
        {
            http.Response.Headers.CacheControl = "no-store";
            return Task.CompletedTask;
        });
        await body.WriteAsync(http, status, query.Language);
    }

    private static (PageQuery Query, Display Display) Asked(HttpContext http)
    {
        var query = PageQuery.Of(http);
        return (query, Display.In(query.Language));
    }
}

/// <summary>Registration of the pages of runs.</summary>
internal static class RunPagesExtensions
{
    public static void AddRunPages(this IServiceCollection services) => services.AddSingleton<RunPages>().AddSingleton<RunActs>();

    /// <summary>Routes <c>/runs</c>, <c>/runs/{run}</c>, <c>/runs/compare</c> and <c>/jobs/{job}</c>, what explains an end, and the forms where people sign in on pages.</summary>
    public static void MapRunPages(this IEndpointRouteBuilder routes)
    {
        routes.MapRead("/runs", (HttpContext http, RunPages pages) => pages.ListAsync(http)).ExcludeFromDescription();
        routes.MapRead("/runs/compare", (HttpContext http, RunPages pages) => pages.CompareAsync(http)).ExcludeFromDescription();
        routes.MapRead("/runs/{run}", (HttpContext http, string run, RunPages pages) => pages.OneAsync(http, run)).ExcludeFromDescription();
        routes.MapRead("/runs/{run}/" + RunForms.Abort, (HttpContext http, string run, RunPages pages) => pages.StopAsync(http, run)).ExcludeFromDescription();
        routes.MapRead("/jobs/{job}", (HttpContext http, string job, RunPages pages) => pages.JobAsync(http, job)).ExcludeFromDescription();
        if (routes.ServiceProvider.GetService<SignInCookies>() is null) return;
        routes.MapPost("/runs/{run}/acts", (HttpContext http, string run, RunActs acts) => acts.ActAsync(http, run)).ExcludeFromDescription();
        routes.MapPost("/jobs/{job}/runs", (HttpContext http, string job, RunActs acts) => acts.StartAsync(http, job)).ExcludeFromDescription();
    }
}
